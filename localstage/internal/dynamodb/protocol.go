package dynamodb

import (
	"bytes"
	"crypto/rand"
	"errors"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// targetPrefix stands before the operation's name in the X-Amz-Target header.
const targetPrefix = "DynamoDB_20120810."

// maxRequest is the largest request body that the engine reads, in bytes.
// Source: BatchWriteItem of the API reference, the largest request of all.
const maxRequest = 16 << 20

// ServeHTTP answers one request of DynamoDB's JSON 1.0 protocol: POST with the operation in X-Amz-Target. It does not
// look at signatures. The operations are CreateTable, DescribeTable, ListTables, DeleteTable, UpdateTimeToLive,
// DescribeTimeToLive, GetItem, PutItem, UpdateItem, DeleteItem, Query, Scan, BatchWriteItem, BatchGetItem,
// TransactWriteItems and TransactGetItems. Every other one is an UnknownOperationException.
func (e *Engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(w, r)
	if err != nil {
		asError(err).respond(w)
		return
	}
	response, err := e.answer(r.Header, body)
	if err != nil {
		asError(err).respond(w)
		return
	}
	respond(w, http.StatusOK, response)
}

// operationIn returns the name of the operation in a request's headers. Its error is of type *Error.
func operationIn(header http.Header) (string, error) {
	name, ok := strings.CutPrefix(header.Get("X-Amz-Target"), targetPrefix)
	if !ok {
		return "", unknownOperation("X-Amz-Target must be %s<operation>", targetPrefix)
	}
	return name, nil
}

func (e *Engine) answer(header http.Header, body []byte) ([]byte, error) {
	name, err := operationIn(header)
	if err != nil {
		return nil, err
	}
	perform := e.operation(name)
	if perform == nil {
		return nil, unknownOperation("The local DynamoDB engine does not have the operation %q. Run the stage "+
			"against another engine if you need it.", name)
	}
	return perform(body)
}

// operation returns the function for the named operation, or nil.
func (e *Engine) operation(name string) func(body []byte) ([]byte, error) {
	switch name {
	case "CreateTable":
		return decoded(e.createTable)
	case "DescribeTable":
		return decoded(e.describeTable)
	case "ListTables":
		return decoded(e.listTables)
	case "DeleteTable":
		return decoded(e.deleteTable)
	case "UpdateTimeToLive":
		return decoded(e.updateTimeToLive)
	case "DescribeTimeToLive":
		return decoded(e.describeTimeToLive)
	case "GetItem":
		return decoded(e.getItem)
	case "PutItem":
		return decoded(e.putItem)
	case "UpdateItem":
		return decoded(e.updateItem)
	case "DeleteItem":
		return decoded(e.deleteItem)
	case "Query":
		return decoded(e.query)
	case "Scan":
		return decoded(e.scan)
	case "BatchWriteItem":
		return decoded(e.batchWriteItem)
	case "BatchGetItem":
		return decoded(e.batchGetItem)
	case "TransactWriteItems":
		return e.transactWriteItems
	case "TransactGetItems":
		return decoded(e.transactGetItems)
	}
	return nil
}

// decoded returns an operation that takes the JSON of its request.
func decoded[T any](operation func(*T) ([]byte, error)) func(body []byte) ([]byte, error) {
	return func(body []byte) ([]byte, error) {
		request, err := decode[T](body)
		if err != nil {
			return nil, err
		}
		return operation(request)
	}
}

func unknownOperation(format string, args ...any) *Error {
	err := invalid(format, args...)
	err.Type = frameworkShape + "UnknownOperationException"
	return err
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.Method != http.MethodPost {
		return nil, unknownOperation("a request is a POST")
	}
	var body bytes.Buffer
	body.Grow(int(max(0, min(r.ContentLength, maxRequest))) + bytes.MinRead)
	if _, err := io.Copy(&body, http.MaxBytesReader(w, r.Body, maxRequest)); err != nil {
		return nil, malformed("read request: %v", err)
	}
	return body.Bytes(), nil
}

// asError returns any error as one that can be the answer. An error that the client did not cause becomes an internal
// one.
func asError(err error) *Error {
	if refusal, ok := errors.AsType[*Error](err); ok {
		return refusal
	}
	return &Error{
		Status:  http.StatusInternalServerError,
		Type:    serviceShape + "InternalServerError",
		Message: "The local DynamoDB engine failed: " + err.Error(),
	}
}

// respond writes a body with the headers of every answer of the service. The SDKs check X-Amz-Crc32, and the Go SDK
// logs a warning for each answer without it.
func respond(w http.ResponseWriter, status int, body []byte) {
	header := w.Header()
	header.Set("Content-Type", "application/x-amz-json-1.0")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10))
	header.Set("X-Amzn-Requestid", rand.Text()+rand.Text()) // 52 letters and digits, as the service's
	w.WriteHeader(status)
	//nolint:gosec // the Content-Type is JSON
	_, _ = w.Write(body) // a client that hung up needs no answer
}

// decode parses a request strictly. It refuses by name a member that the request type does not have: the service would
// obey it.
func decode[T any](body []byte) (*T, error) {
	request := new(T)
	err := json.Unmarshal(body, request, json.RejectUnknownMembers(true))
	if err == nil {
		return request, nil
	}
	if refusal, ok := errors.AsType[*Error](err); ok {
		return nil, refusal
	}
	if semantic, ok := errors.AsType[*json.SemanticError](err); ok && semantic.Err == json.ErrUnknownName {
		return nil, unsupported("the parameter " + parameterName(semantic.JSONPointer))
	}
	return nil, malformed("The request does not fit the operation: %v", err)
}

// parameterName writes a JSON pointer as people write parameters: /TransactItems/0/Put becomes TransactItems.0.Put.
func parameterName(pointer jsontext.Pointer) string {
	var names []string
	for name := range pointer.Tokens() {
		names = append(names, name)
	}
	return strings.Join(names, ".")
}
