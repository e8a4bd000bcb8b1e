package webadapter

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// These are the settings of a function that runs behind the adapter.
// Source: AWS Lambda Web Adapter, README, "Lambda functions packaged as ZIP package".
const (
	// WrapperVariable is the variable that names the wrapper script.
	WrapperVariable = "AWS_LAMBDA_EXEC_WRAPPER"
	// Wrapper is the script in the layer.
	Wrapper = "/opt/bootstrap"
	// LayerName begins the names of the layers, one for each architecture.
	LayerName = "LambdaAdapterLayer"
)

// Check refuses, by name, settings in a function's variables that the adapter of a local stage does not follow. Its
// errors say what to do.
func Check(variables map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		switch name {
		case "AWS_LWA_PORT", "AWS_LWA_READINESS_CHECK_PATH":
			continue
		case "AWS_LWA_INVOKE_MODE":
			if variables[name] == "buffered" {
				continue
			}
		// Version 1 of the adapter reads the names without the prefix, version 2 no longer does.
		case "HOST", "READINESS_CHECK_PORT", "READINESS_CHECK_PATH", "READINESS_CHECK_PROTOCOL", "REMOVE_BASE_PATH",
			"ASYNC_INIT":
			return fmt.Errorf("variable %s is a setting of the Lambda Web Adapter that goes away: write "+
				"AWS_LWA_%s", name, name)
		}
		if strings.HasPrefix(name, "AWS_LWA_") {
			return fmt.Errorf("variable %s=%s is not supported by the local stage: its web adapter knows "+
				"AWS_LWA_PORT, AWS_LWA_READINESS_CHECK_PATH and AWS_LWA_INVOKE_MODE=buffered",
				name, variables[name])
		}
	}
	return nil
}

// settings are the variables of an adapter.
type settings struct {
	runtimeAPI string // host:port
	handler    string // program that starts the server
	readiness  string // path of the readiness check
	function   functionFacts
}

// functionFacts are the function's part of the server's context.
type functionFacts struct {
	Name      string `json:"function_name"`
	MemoryMB  string `json:"memory"`
	Version   string `json:"version"`
	LogStream string `json:"log_stream"`
	LogGroup  string `json:"log_group"`
}

// newSettings reads the variables of Lambda and those of the adapter.
func newSettings(environ []string) (settings, error) {
	v := make(map[string]string, len(environ))
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		v[name] = value
	}
	s := settings{
		runtimeAPI: v["AWS_LAMBDA_RUNTIME_API"],
		handler:    filepath.Join(v["LAMBDA_TASK_ROOT"], v["_HANDLER"]),
		readiness:  cmp.Or(v["AWS_LWA_READINESS_CHECK_PATH"], "/"),
		function: functionFacts{
			Name:      v["AWS_LAMBDA_FUNCTION_NAME"],
			MemoryMB:  v["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
			Version:   v["AWS_LAMBDA_FUNCTION_VERSION"],
			LogStream: v["AWS_LAMBDA_LOG_STREAM_NAME"],
			LogGroup:  v["AWS_LAMBDA_LOG_GROUP_NAME"],
		},
	}
	if s.runtimeAPI == "" || v["_HANDLER"] == "" {
		return settings{}, errors.New("the web adapter is started by a local stage, as the bootstrap of a function: " +
			"there is no AWS_LAMBDA_RUNTIME_API here")
	}
	return s, nil
}
