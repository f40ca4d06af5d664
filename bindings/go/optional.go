package milena

import "strconv"

// Optional is a number that may be missing. Its zero value is: none.
type Optional struct {
	value int32
	set   bool
}

// Some is an Optional with a value.
func Some(value int32) Optional { return Optional{value, true} }

// Get returns the value and whether there is one.
func (o Optional) Get() (int32, bool) { return o.value, o.set }

// Or returns the value, or instead where there is none.
func (o Optional) Or(instead int32) int32 {
	if o.set {
		return o.value
	}
	return instead
}

// String is the number, or "none".
func (o Optional) String() string {
	if !o.set {
		return "none"
	}
	return strconv.FormatInt(int64(o.value), 10)
}

// optional reads a number of which the library says -1 for none.
func optional(value int32) Optional {
	if value < 0 {
		return Optional{}
	}
	return Some(value)
}
