package localstage

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"signedsocket/localstage/internal/iamauth"
	"signedsocket/localstage/internal/lambda"
	"signedsocket/localstage/internal/template"
	"signedsocket/localstage/internal/webadapter"
)

// running returns the template's functions without those that the stage leaves out.
func (s *Stage) running() []template.Function {
	return slices.DeleteFunc(slices.Clone(s.template.Functions), func(f template.Function) bool {
		return s.leftOut[f.LogicalID] != ""
	})
}

// artifacts builds the functions that run, or finds those of an earlier build, and returns the path of each handler by
// logical id.
func (s *Stage) artifacts(ctx context.Context) (map[string]string, error) {
	if s.config.Artifacts != "" {
		return prebuilt(s.config.Artifacts, s.running())
	}
	b := builder{
		root: filepath.Dir(s.config.Template), into: filepath.Join(s.config.State, "functions"), log: s.config.Log,
	}
	return b.build(ctx, s.running())
}

// startFunctions adds the functions to the stage's Lambda. handlers are the paths of their handlers.
func (s *Stage) startFunctions(at addresses, identities *principals, handlers map[string]string) error {
	s.functions = lambda.New(lambda.Options{
		Logs: s.config.Logs, Log: s.config.Log, Fault: s.config.Faults.functions(s.config.FunctionFault),
	})
	s.byLogicalID = make(map[string]*lambda.Function, len(s.template.Functions))
	values, err := openSecrets(filepath.Join(s.config.State, "secrets.json"), s.template.Secrets)
	if err != nil {
		return err
	}
	rewrite := newRewriter(s.template, at)
	for _, f := range s.running() {
		environment := map[string]string{
			"AWS_ENDPOINT_URL_DYNAMODB": at.development,
			"AWS_ENDPOINT_URL_LAMBDA":   at.development,
		}
		for name, value := range f.Environment {
			environment[name] = rewrite.value(values.resolve(value))
		}
		function, err := s.addFunction(f, handlers[f.LogicalID], environment, identities.byFunction[f.LogicalID])
		if err != nil {
			return fmt.Errorf("function %s: %w", f.LogicalID, err)
		}
		s.byLogicalID[f.LogicalID] = function
	}
	return nil
}

func (s *Stage) addFunction(
	f template.Function, handler string, environment map[string]string, role *iamauth.Principal,
) (*lambda.Function, error) {
	if f.ReservedConcurrency == 0 {
		return nil, errors.New("ReservedConcurrentExecutions 0 stops it; leave the property out")
	}
	keys := role.Credentials()
	config := lambda.Config{
		Name:        f.Name,
		Label:       f.LogicalID,
		ARN:         f.ARN,
		Bootstrap:   handler,
		Handler:     f.Handler,
		Environment: environment,
		Credentials: lambda.Credentials{
			AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey, SessionToken: keys.SessionToken,
		},
		Timeout:        f.Timeout,
		MemoryMB:       f.MemoryMB,
		MaxConcurrency: f.ReservedConcurrency,
	}
	if isManaged(f.Runtime) {
		config.Runtime = f.Runtime
	}
	if isWeb(f) {
		config.Dir = filepath.Dir(handler)
		config.Bootstrap, config.Arguments = s.config.Adapter, []string{webadapter.Command}
	}
	return s.functions.Add(config)
}
