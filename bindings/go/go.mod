module milena

go 1.21
