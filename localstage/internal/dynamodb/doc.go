// Package dynamodb is the local stage's DynamoDB: an [Engine] that keeps tables in one file and speaks the
// service's JSON protocol as an [http.Handler].
//
// It is a test double that keeps its promises, not a database. The list of operations is closed (see
// [Engine.ServeHTTP]). The engine refuses by name an operation, a parameter or an index that it does not have, and
// ignores none. Types, key order, paging, conditions, limits, error codes and cancellation reasons are those of the
// service; the wording of messages is only close to it.
//
// From the bottom up:
//
//   - values.go, number.go, wire.go: attribute values, 38-digit numbers, and their JSON form;
//   - keys.go, table.go: key attributes as bytes whose order is DynamoDB's order, and tables;
//   - lexer.go, parser.go, bindings.go: the expression language; condition.go, update.go, projection.go and
//     keycondition.go: its four dialects;
//   - read.go, query.go, write.go, batch.go, transact.go, tables.go, ttl.go: the operations;
//   - access.go, batchaccess.go: the IAM permissions that a request needs, for the layer that checks signatures and
//     policies;
//   - engine.go, protocol.go, errors.go: storage, HTTP and errors;
//   - front.go: signatures and policies, before any engine; forward.go: another engine;
//   - faults.go, unprocessed.go: injected faults.
//
// Items lie in a B+tree (go.etcd.io/bbolt), one writer at a time, so every read is consistent and every
// transaction serial. An acknowledged write survives the death of the process, SIGKILL included, but not a power
// cut unless [Options.Sync] is set.
package dynamodb
