package milena

// #include "bridge.h"
import "C"

import "unsafe"

// arena is one block of C's memory for the rows of a call and the text they point to: rows with pointers into Go's
// memory must not be given to C. The zero value is ready for use; free gives all of it back.
type arena struct {
	blocks []unsafe.Pointer
}

func (a *arena) free() {
	for _, block := range a.blocks {
		C.free(block)
	}
}

func (a *arena) alloc(size uintptr) unsafe.Pointer {
	block := C.malloc(C.size_t(max(size, 1)))
	a.blocks = append(a.blocks, block)
	return block
}

// text copies a string; the empty one is not null.
func (a *arena) text(s string) C.milena_bytes {
	block := a.alloc(uintptr(len(s)))
	copy(unsafe.Slice((*byte)(block), len(s)), s)
	return C.milena_bytes{data: (*C.uint8_t)(block), len: C.size_t(len(s))}
}

// rows makes room for n rows; nil for none.
func rows[T any](a *arena, n int) (*T, []T) {
	if n == 0 {
		return nil, nil
	}
	var row T
	first := (*T)(a.alloc(uintptr(n) * unsafe.Sizeof(row)))
	return first, unsafe.Slice(first, n)
}

// row is the i-th of the rows that a result has, stride bytes apart.
func row[T any](first *T, i int, stride C.size_t) *T {
	return (*T)(unsafe.Add(unsafe.Pointer(first), i*int(stride)))
}

func texts(a *arena, list []string) (*C.milena_bytes, C.size_t) {
	first, all := rows[C.milena_bytes](a, len(list))
	for i, s := range list {
		all[i] = a.text(s)
	}
	return first, C.size_t(len(list))
}
