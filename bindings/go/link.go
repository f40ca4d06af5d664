package milena

// #cgo pkg-config: milena
import "C"
