// Package lambdaapi is the Invoke API of AWS Lambda, as an http.Handler: the operation behind `aws lambda invoke` and
// the SDKs' Invoke, synchronous, asynchronous and as a dry run. An Authorizer judges signatures and policies. A
// function is any Invoker.
//
// The package also has the queue of asynchronous invocations, with Lambda's retries, for the other services of the
// stage: see API.InvokeAsync.
//
// The API refuses by name a request for something that the stage does not have (a log tail, a client context, a tenant,
// a durable execution, a version or an alias).
//
// Comments that begin with "Source:" name a page of AWS, or say "observed" (recorded on AWS by others) or "assumed".
// "API model" is the model of Lambda from which the SDKs are generated.
package lambdaapi
