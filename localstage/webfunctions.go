package localstage

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"os/exec"
	"slices"
	"strings"

	"signedsocket/localstage/internal/template"
	"signedsocket/localstage/internal/webadapter"
)

// isWeb reports whether a function is a web server behind the Lambda Web Adapter.
func isWeb(f template.Function) bool {
	return f.Environment[webadapter.WrapperVariable] == webadapter.Wrapper &&
		slices.ContainsFunc(f.Layers, isAdapterLayer)
}

func isAdapterLayer(arn string) bool { return strings.Contains(arn, ":layer:"+webadapter.LayerName) }

// isManaged reports whether a runtime has more than an operating system.
func isManaged(runtime string) bool { return !strings.HasPrefix(runtime, "provided.") }

// checkFunction refuses a function that the stage would run otherwise than Lambda.
func checkFunction(f template.Function) error {
	for _, layer := range f.Layers {
		if !isAdapterLayer(layer) {
			return fmt.Errorf("layer %s is not supported by the local stage: it knows the Lambda Web Adapter's", layer)
		}
	}
	wrapper, wraps := f.Environment[webadapter.WrapperVariable]
	switch {
	case isWeb(f):
		return webadapter.Check(f.Environment)
	case wraps:
		return fmt.Errorf("%s=%s: the local stage knows %s of the Lambda Web Adapter's layer",
			webadapter.WrapperVariable, wrapper, webadapter.Wrapper)
	case len(f.Layers) > 0:
		return fmt.Errorf("it has the Lambda Web Adapter's layer, which does nothing without %s=%s",
			webadapter.WrapperVariable, webadapter.Wrapper)
	case isManaged(f.Runtime):
		return fmt.Errorf("runtime %s: the local stage runs functions of OS-only runtimes, and web servers behind "+
			"the Lambda Web Adapter", f.Runtime)
	}
	return nil
}

// leaveOut returns the functions that do not run, with the reasons, by logical id: those that Config.Without names, and
// those that this machine cannot run.
func leaveOut(t *template.Template, c Config) (map[string]string, error) {
	reasons := make(map[string]string)
	for _, f := range t.Functions {
		if slices.Contains(c.Without, f.LogicalID) {
			reasons[f.LogicalID] = "it was left out with --without " + f.LogicalID
			continue
		}
		if err := checkFunction(f); err != nil {
			return nil, fmt.Errorf("function %s: %w", f.LogicalID, err)
		}
		if missing := missingPrograms(f, c.Artifacts == ""); missing != "" {
			reasons[f.LogicalID] = fmt.Sprintf("there is no %s in PATH (install Node.js 20.9 or newer)", missing)
			c.Log.Warn("one function does not run, everything else does", "function", f.LogicalID, "reason",
				reasons[f.LogicalID])
			continue
		}
		if isWeb(f) && c.Adapter == "" {
			return nil, fmt.Errorf("function %s: it runs behind the Lambda Web Adapter, and Config.Adapter names "+
				"no program", f.LogicalID)
		}
	}
	for _, logicalID := range c.Without {
		if reasons[logicalID] == "" {
			c.Log.Warn("a function that is to be left out is not in the template", "function", logicalID)
		}
	}
	return reasons, nil
}

// missingPrograms names the programs that a Node.js function needs and this machine does not have.
func missingPrograms(f template.Function, build bool) string {
	if !strings.HasPrefix(f.Runtime, "nodejs") {
		return ""
	}
	if _, err := exec.LookPath("node"); err != nil {
		return "node"
	}
	if _, err := exec.LookPath("npm"); err != nil && build {
		return "npm"
	}
	return ""
}

// absent stands in for a function that the stage leaves out.
type absent struct{ function, reason string }

// Invoke implements invoker: 503 and a page for people.
func (a absent) Invoke(context.Context, []byte) ([]byte, error) {
	text := fmt.Sprintf("%s does not run on this local stage: %s.", a.function, a.reason)
	return json.Marshal(map[string]any{
		"statusCode": http.StatusServiceUnavailable,
		"headers": map[string]string{
			"content-type": "text/html; charset=utf-8", "cache-control": "no-store",
			"content-security-policy": "default-src 'none'",
		},
		"body": "<!doctype html>\n<html lang=\"en\">\n<title>Not here</title>\n<h1>503</h1>\n<p>" +
			html.EscapeString(text) + "\n",
	})
}

// PageURL is the address of the page that the HTTP API serves by default. It is "" when the template has none or its
// function does not run.
func (s *Stage) PageURL() string {
	for _, api := range s.template.HTTPAPIs {
		for _, route := range api.Routes {
			if route.Key == "$default" && s.byLogicalID[route.Function] != nil {
				return s.listeners.addresses().httpAPI
			}
		}
	}
	return ""
}
