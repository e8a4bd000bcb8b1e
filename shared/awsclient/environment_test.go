package awsclient_test

import (
	"encoding/pem"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	smithylogging "github.com/aws/smithy-go/logging"

	"signedsocket/shared/awsclient"
)

// lambda returns the variables that Lambda sets, and more.
func lambda(more map[string]string) map[string]string {
	environment := map[string]string{
		"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "ASIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example",
		"AWS_SESSION_TOKEN": "token",
	}
	maps.Copy(environment, more)
	return environment
}

// asks lists tables with the configuration of an environment, and returns the request that the client sent and the
// error. The request goes to no server.
func asks(t *testing.T, environment map[string]string) (sent *http.Request, err error) {
	t.Helper()
	config, err := awsclient.Load(environment, smithylogging.Nop{})
	if err != nil {
		t.Fatal(err)
	}
	config.HTTPClient = clientFunc(func(r *http.Request) (*http.Response, error) {
		sent = r
		return &http.Response{
			StatusCode: http.StatusOK, Header: http.Header{},
			Body: io.NopCloser(strings.NewReader(`{}`)),
		}, nil
	})
	_, err = dynamodb.NewFromConfig(config).ListTables(t.Context(), &dynamodb.ListTablesInput{})
	return sent, err
}

type clientFunc func(*http.Request) (*http.Response, error)

func (f clientFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

func TestKeysAndRegionAreThoseOfTheFunction(t *testing.T) {
	t.Parallel()
	sent, err := asks(t, lambda(nil))
	if err != nil {
		t.Fatal(err)
	}
	if signed := sent.Header.Get("Authorization"); !strings.Contains(signed, "Credential=ASIAEXAMPLE/") ||
		!strings.Contains(signed, "/eu-west-1/dynamodb/") ||
		sent.Header.Get("X-Amz-Security-Token") != "token" {
		t.Errorf("signed as %s", signed)
	}
}

func TestTheSDKsVariablesSetTheEndpoints(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		environment map[string]string
		want        string
	}{
		"none": {nil, "dynamodb.eu-west-1.amazonaws.com"},
		"of the service": {map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": "http://table:1",
			"AWS_ENDPOINT_URL": "http://all:2"}, "table:1"},
		"of all services": {map[string]string{"AWS_ENDPOINT_URL": "http://all:2",
			"AWS_ENDPOINT_URL_LAMBDA": "http://other:3"}, "all:2"},
		"ignored": {map[string]string{"AWS_ENDPOINT_URL": "http://all:2",
			"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, "dynamodb.eu-west-1.amazonaws.com"},
		"FIPS": {map[string]string{"AWS_USE_FIPS_ENDPOINT": "true", "AWS_REGION": "us-east-1"},
			"dynamodb-fips.us-east-1.amazonaws.com"},
		"dual stack": {map[string]string{"AWS_USE_DUALSTACK_ENDPOINT": "True"}, "dynamodb.eu-west-1.api.aws"},
		"neither": {map[string]string{"AWS_USE_FIPS_ENDPOINT": "false", "AWS_USE_DUALSTACK_ENDPOINT": "false"},
			"dynamodb.eu-west-1.amazonaws.com"},
	} {
		sent, err := asks(t, lambda(test.environment))
		if err != nil || sent.URL.Host != test.want {
			t.Errorf("%s: asked %v, %v; want %s", name, sent, err, test.want)
		}
	}
}

func TestAuthoritiesOfTheBundleAreTrusted(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{}`)
	}))
	t.Cleanup(server.Close)
	bundle := filepath.Join(t.TempDir(), "bundle.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(bundle, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, trusted := range map[string]bool{bundle: true, "": false} {
		config, err := awsclient.Load(lambda(map[string]string{"AWS_CA_BUNDLE": path, "AWS_ENDPOINT_URL": server.URL}),
			smithylogging.Nop{})
		if err != nil {
			t.Fatal(err)
		}
		config.RetryMaxAttempts = 1
		_, err = dynamodb.NewFromConfig(config).ListTables(t.Context(), &dynamodb.ListTablesInput{Limit: aws.Int32(1)})
		if (err == nil) != trusted {
			t.Errorf("with the bundle %q: %v", path, err)
		}
	}
}

func TestLoadNamesMissingVariables(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, environment := range map[string]map[string]string{
		"AWS_REGION":            lambda(map[string]string{"AWS_REGION": ""}),
		"AWS_ACCESS_KEY_ID":     lambda(map[string]string{"AWS_ACCESS_KEY_ID": ""}),
		"AWS_SECRET_ACCESS_KEY": lambda(map[string]string{"AWS_SECRET_ACCESS_KEY": ""}),
		"AWS_CA_BUNDLE":         lambda(map[string]string{"AWS_CA_BUNDLE": empty}),
		"no such file":          lambda(map[string]string{"AWS_CA_BUNDLE": empty + "x"}),
	} {
		if _, err := awsclient.Load(environment, smithylogging.Nop{}); err == nil ||
			!strings.Contains(err.Error(), name) {
			t.Errorf("%s: err = %v", name, err)
		}
	}
}
