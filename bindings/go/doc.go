// Package milena is an Apache Kafka client: a [Producer], a [Consumer], an [Admin] client, and an [EmbeddedCluster] for
// tests. It wraps the library libmilena, which it finds by pkg-config.
//
// # Use
//
// The module's path is no address that go get could find. A module that uses it says where it is:
//
//	go mod edit -require milena@v0.0.0 -replace milena=PATH/bindings/go
//
// cgo needs a C compiler, and milena.pc in PKG_CONFIG_PATH (make install, or make lib and build/lib/pkgconfig); the
// program finds the shared library by ldconfig, an rpath or LD_LIBRARY_PATH.
//
// # Crossings
//
// Records cross into the library and out of it in blocks, not one by one. The keys and values of a [Batch] are parts of
// one block of Go's memory, which stays valid whatever happens to the consumer. Nil is Kafka's null, which is not the
// same as empty.
//
// # Contexts
//
// What can wait takes a [context.Context]. Waiting in [Producer.Poll] and [Consumer.Poll] costs no thread, but one
// goroutine for each client. Other waits, such as [Consumer.Commit], hold a thread. When a context ends a call,
// errors.Is finds the context's error; where the library had something to say as well, errors.As finds its [Error].
//
// # Closing
//
// Close every client. Finalizers give back what was forgotten, but deliver nothing, commit nothing and leave no group.
package milena
