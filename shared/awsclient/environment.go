package awsclient

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	smithylogging "github.com/aws/smithy-go/logging"
)

// Load returns the SDK's configuration of a function's environment, whose clients write to log. Lambda renews a
// function's credentials by a new process. The error names the missing variables.
//
// The SDK's own config.LoadDefaultConfig also looks for files, profiles, single sign-on, web identities and an
// instance's metadata. A function has none of them, and their clients take a third of a function's start. These of the
// SDK's variables count, with the SDK's meaning, and no others:
//
//	AWS_REGION
//	AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
//	AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS
//	AWS_USE_FIPS_ENDPOINT, AWS_USE_DUALSTACK_ENDPOINT
//	AWS_CA_BUNDLE
func Load(environment map[string]string, log smithylogging.Logger) (aws.Config, error) {
	keys := credentials.NewStaticCredentialsProvider(
		environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"], environment["AWS_SESSION_TOKEN"])
	if environment["AWS_REGION"] == "" || !keys.Value.HasKeys() {
		return aws.Config{}, errors.New(
			"AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set: Lambda does so")
	}
	client := awshttp.NewBuildableClient()
	if bundle := environment["AWS_CA_BUNDLE"]; bundle != "" {
		authorities, err := read(bundle)
		if err != nil {
			return aws.Config{}, fmt.Errorf("AWS_CA_BUNDLE: %w", err)
		}
		client = client.WithTransportOptions(func(transport *http.Transport) {
			transport.TLSClientConfig.RootCAs = authorities
		})
	}
	return aws.Config{
		Region: environment["AWS_REGION"], Credentials: keys, HTTPClient: client, Logger: log,
		ConfigSources: []any{source(environment)},
	}, nil
}

// read returns the authorities in a file of PEM blocks.
func read(path string) (*x509.CertPool, error) {
	data, err := os.ReadFile(path) //nolint:gosec // AWS_CA_BUNDLE is part of the function's configuration
	if err != nil {
		return nil, err
	}
	authorities := x509.NewCertPool()
	if !authorities.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("%s holds no certificate", path)
	}
	return authorities, nil
}

// source is an environment that answers the SDK's clients about their endpoints. Their interfaces are in
// github.com/aws/aws-sdk-go-v2/internal/configsources.
type source map[string]string

// GetServiceBaseEndpoint returns the address that is set for a service, named as in "API Gateway".
func (s source) GetServiceBaseEndpoint(_ context.Context, service string) (string, bool, error) {
	own := "AWS_ENDPOINT_URL_" + strings.ToUpper(strings.ReplaceAll(service, " ", "_"))
	for _, name := range []string{own, "AWS_ENDPOINT_URL"} {
		if address := s[name]; address != "" {
			return address, true, nil
		}
	}
	return "", false, nil
}

// GetIgnoreConfiguredEndpoints reports whether these addresses do not count.
func (s source) GetIgnoreConfiguredEndpoints(context.Context) (bool, bool, error) {
	ignore, found := s.flag("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
	return ignore, found, nil
}

// GetUseFIPSEndpoint reports whether the services' FIPS endpoints are to be used.
func (s source) GetUseFIPSEndpoint(context.Context) (aws.FIPSEndpointState, bool, error) {
	use, found := s.flag("AWS_USE_FIPS_ENDPOINT")
	if use {
		return aws.FIPSEndpointStateEnabled, found, nil
	}
	return aws.FIPSEndpointStateDisabled, found, nil
}

// GetUseDualStackEndpoint reports whether the services' endpoints with IPv6 are to be used.
func (s source) GetUseDualStackEndpoint(context.Context) (aws.DualStackEndpointState, bool, error) {
	use, found := s.flag("AWS_USE_DUALSTACK_ENDPOINT")
	if use {
		return aws.DualStackEndpointStateEnabled, found, nil
	}
	return aws.DualStackEndpointStateDisabled, found, nil
}

func (s source) flag(name string) (on, found bool) {
	text := s[name]
	return strings.EqualFold(text, "true"), text != ""
}
