// Package lambdaapi is the Invoke API of AWS Lambda, as an http.Handler: the
// operation behind `aws lambda invoke` and the SDKs' Invoke, synchronous,
// asynchronous and as a dry run. Signatures and policies are judged by an
// Authorizer, the functions are whatever implements Invoker.
//
// It also owns the queue of asynchronous invocations, with Lambda's retries,
// and lets the other services of the stage use it: see API.InvokeAsync.
//
// Requests that ask for what the stage does not have (a log tail, a client
// context, a tenant, a durable execution, a version or an alias) are refused by
// name, never served without it.
//
// Comments beginning with "Source:" name a page of AWS's, or say "observed"
// (recorded on AWS by others) or "assumed". "API model" is the model of Lambda
// that the SDKs are generated from.
package lambdaapi
