// Package webadapter stands in for the AWS Lambda Web Adapter, the layer that makes a web server a Lambda function. It
// is a program that starts the server, and makes an HTTP request to it of every event.
//
// A local stage starts one adapter as the bootstrap of each execution environment, like any other function. The adapter
// starts the function's handler, waits until it answers, and then fetches events from the Runtime API, one at a time.
// When the server ends, the adapter ends, and with it the environment.
//
// On Lambda every environment has a network of its own. Here all share the machine's, so each server gets a free port
// of its own in PORT and AWS_LWA_PORT, whatever the function's configuration.
//
// Events are those of HTTP APIs in payload format 2.0. Answers are buffered. [Check] refuses settings of the adapter
// that this package does not follow.
//
// Sources: aws/aws-lambda-web-adapter 1.1.0, its README and its documentation of
// features; aws/aws-lambda-rust-runtime, crate lambda_http, from which the real
// adapter has its rules for bodies, cookies and headers.
package webadapter
