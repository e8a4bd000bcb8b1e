package awsclient

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

func TestAnEndpointReplacesTheAddressOfTheTemplate(t *testing.T) {
	t.Parallel()
	const address = "https://lambda.us-east-1.amazonaws.com/2015-03-31/functions/chat-Fanout/invocations"
	function, err := NewFunction(aws.Config{}, address, "", 1)
	if err != nil || function.target.Scheme+"://"+function.target.Host+function.target.Opaque != address {
		t.Errorf("%+v, %v", function.target, err)
	}
	for _, bad := range []string{"", "chat-Fanout", "localhost", "://"} {
		if _, err := NewFunction(aws.Config{}, bad, "", 1); err == nil {
			t.Errorf("%q is an address", bad)
		}
		if _, err := NewFunction(aws.Config{}, address, bad, 1); err == nil && bad != "" {
			t.Errorf("%q is an endpoint", bad)
		}
	}
}
