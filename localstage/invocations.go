package localstage

import (
	"net/http"
	"strings"

	"signedsocket/localstage/internal/iamauth"
	"signedsocket/localstage/internal/lambdaapi"
)

// newLambdaAPI serves Lambda's Invoke operation for the template's functions.
func (s *Stage) newLambdaAPI(identities *principals) (*lambdaapi.API, error) {
	config := lambdaapi.Config{
		Region:     Region,
		AccountID:  AccountID,
		Authorizer: invokeAuthorizer{identities.authority},
		Clock:      s.config.Clock,
		Log:        s.config.Log,
	}
	for _, f := range s.running() {
		config.Functions = append(config.Functions, lambdaapi.Function{
			ARN:      f.ARN,
			Invoker:  s.byLogicalID[f.LogicalID],
			Reserved: f.ReservedConcurrency > 0,
			Event:    s.eventInvokeConfig(f, identities),
		})
	}
	return lambdaapi.New(config)
}

// invokeAuthorizer is the Authorizer of Lambda's Invoke API.
type invokeAuthorizer struct {
	authority *iamauth.Authority
}

// Authorize implements lambdaapi.Authorizer.
func (i invokeAuthorizer) Authorize(r *http.Request, body []byte, action, resource string) lambdaapi.Refusal {
	if _, refusal := allow(i.authority, r, body, action, resource, resource); refusal != nil {
		return refusal
	}
	return nil
}

// developmentOrigin routes requests to the services that share the development address.
func developmentOrigin(dynamoDB, lambda, issuer http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("X-Amz-Target") != "":
			dynamoDB.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, lambdaapi.Path):
			lambda.ServeHTTP(w, r)
		default:
			issuer.ServeHTTP(w, r)
		}
	})
}
