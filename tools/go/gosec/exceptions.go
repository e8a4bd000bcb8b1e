package main

import "strings"

// exception excuses the findings of a rule in a file or everything below a folder.
type exception struct {
	rule, path, because string
}

// exceptions are findings that somebody has looked at. One that excuses nothing any more is itself a finding.
func exceptions() []exception {
	const (
		jitter    = "spreads repeated attempts in time, or throws the dice of a fault; nobody gains by guessing it"
		developer = "runs on a developer's machine with what that developer names: paths and commands are theirs to choose"
		bounded   = "the value is bounded by what stands around it"
		jsonOnly  = "the answer is JSON and says so in its Content-Type"
	)
	return []exception{
		{"G404", "shared/callback/retry.go", jitter},
		{"G404", "shared/connections/conflict.go", jitter},
		{"G404", "shared/connections/members.go", jitter},
		{"G404", "localstage/dynamodbfaults.go", jitter},
		{"G404", "localstage/faults.go", jitter},
		{"G404", "localstage/internal/gateway/faults.go", jitter},
		{"G404", "cmd/chat", jitter},
		{"G404", "internal/load", jitter + "; and seeds what a load test sends"},

		{"G115", "shared/connections/item.go", "the parameter RoomShards is 1 to 32, and connect and sendmessage refuse to start with less than 1"},
		{"G115", "localstage/internal/dynamodb", bounded + ": lengths of items, exponents of 38 digits, and times"},
		{"G115", "localstage/internal/gateway/frames.go", bounded + ": a length below 65,536"},
		{"G115", "localstage/internal/sigv4/query.go", bounded + ": ASCII"},

		{"G204", "localstage/build.go", developer},
		{"G301", "localstage/build.go", developer + "; what is built is no secret"},
		{"G304", "localstage/internal/template", developer},
		{"G304", "localstage/stagetest/log.go", developer},
		{"G204", "localstage/stagetest/artifacts.go", developer},
		{"G304", "localstage/secrets.go", developer},
		{"G304", "localstage/failedevents.go", developer},
		{"G304", "shared/awsenv/awsenv.go", "the file is AWS_CA_BUNDLE, which whoever deploys the function names"},
		{"G204", "internal/stageclient/token.go", developer},
		{"G304", "internal/stageclient/outputs.go", developer},
		{"G304", "internal/stageclient/clienttest/running.go", developer},
		{"G703", "internal/stageclient/clienttest/running.go", developer},
		{"G704", "internal/stageclient/clienttest/table.go", developer},
		{"G204", "tools/suite/main.go", developer},
		{"G304", "tools/suite/rows.go", developer},
		{"G204", "tools/bench", developer},
		{"G304", "tools/bench", developer},
		{"G306", "tools/bench/results.go", developer + "; the results are public"},
		{"G703", "tools/bench/stage.go", developer},
		{"G304", "tools/docblock", developer},
		{"G306", "tools/docblock", developer + "; the pages are public"},
		{"G703", "tools/docblock", developer},
		{"G204", "tools/mutate/tree.go", developer},
		{"G301", "tools/mutate/tree.go", developer + "; the copy is of what is public"},
		{"G304", "tools/mutate", developer},
		{"G703", "tools/mutate/tree.go", developer},
		{"G122", "tools/mutate/marker.go", developer},

		{"G101", "localstage/internal/sigv4/query.go", "names of parameters, not their values"},
		{"G101", "localstage/internal/template/resources.go", "the name of a type of resource"},
		{"G401", "localstage/internal/gateway/upgrade.go", "RFC 6455 demands SHA-1 for Sec-WebSocket-Accept, where it protects nothing"},
		{"G505", "localstage/internal/gateway/upgrade.go", "RFC 6455 demands SHA-1 for Sec-WebSocket-Accept, where it protects nothing"},
		{"G705", "localstage/internal/dynamodb/protocol.go", jsonOnly},
		{"G705", "localstage/internal/httpapi/response.go", "an API answers with what its function says, as the service does"},
		{"G710", "localstage/internal/issuer/authorize.go", "the address was checked to be a loopback one before"},
		{"G112", "localstage/internal/lambda/process.go", "its only client is the function that the stage has started itself"},
		{"G104", "localstage/listeners.go", "the address that could not be opened is reported; closing the others has nothing to add"},
	}
}

// excepted returns the exception that excuses a finding of rule in file.
func excepted(rule, file string) (exception, bool) {
	for _, e := range exceptions() {
		if e.rule == rule && within(file, e.path) {
			return e, true
		}
	}
	return exception{}, false
}

// within reports whether path is place or lies below it.
func within(path, place string) bool {
	return path == place || strings.HasPrefix(path, place+"/")
}
