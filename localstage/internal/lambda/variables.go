package lambda

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxEnvironmentBytes is Lambda's limit for all of a function's own variables.
// Source: AWS Lambda developer guide, "Lambda quotas".
const maxEnvironmentBytes = 4 * 1024

// These are the names of variables that a function's configuration may use.
// Source: Lambda API reference, "Environment".
var variableName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]+$`)

// isReserved reports whether only Lambda itself may set a variable.
// Source: AWS Lambda developer guide, "Working with Lambda environment variables",
// reserved environment variables.
func isReserved(name string) bool {
	switch name {
	case "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
		"AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
		"AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
		"AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
		"AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR":
		return true
	}
	return false
}

// checkVariables refuses the variables that Lambda refuses in a function's configuration.
func checkVariables(variables map[string]string) error {
	size := 0
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		if isReserved(name) {
			return fmt.Errorf("variable %s is reserved by Lambda: rename it in the function's Environment", name)
		}
		if !variableName.MatchString(name) {
			return fmt.Errorf("variable %q: names are letters, digits and underscores and begin with a letter", name)
		}
		if strings.ContainsRune(variables[name], 0) {
			return fmt.Errorf("variable %s contains a NUL byte", name)
		}
		size += len(name) + len(variables[name])
	}
	if size > maxEnvironmentBytes {
		return fmt.Errorf("variables are %d bytes together, Lambda allows %d", size, maxEnvironmentBytes)
	}
	return nil
}

// variables returns the variables of every environment of a function, the function's own last, so that they win. A
// function sees only PATH of the machine's variables: it must find the programs of this machine, not of Amazon Linux.
//
// Without HOME the SDKs fall back to the user's home directory. On Lambda that directory does not exist. Here it does,
// and holds the developer's configuration: the last two variables keep it out.
func variables(c Config, region string) []string {
	path := os.Getenv("PATH")
	path = cmp.Or(path, "/usr/local/bin:/usr/bin:/bin:/opt/bin")
	list := []string{
		"_HANDLER=" + c.Handler,
		"AWS_REGION=" + region,
		"AWS_DEFAULT_REGION=" + region,
		"AWS_LAMBDA_FUNCTION_NAME=" + c.Name,
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + strconv.Itoa(c.MemoryMB),
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/" + c.Name,
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_ACCESS_KEY_ID=" + c.Credentials.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY=" + c.Credentials.SecretAccessKey,
		"AWS_SESSION_TOKEN=" + c.Credentials.SessionToken,
		"LAMBDA_TASK_ROOT=" + c.Dir,
		"LAMBDA_RUNTIME_DIR=/var/runtime",
		"TZ=:UTC",
		"LANG=en_US.UTF-8",
		"PATH=" + path,
		"AWS_CONFIG_FILE=" + os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull,
	}
	if c.Runtime != "" {
		list = append(list, "AWS_EXECUTION_ENV=AWS_Lambda_"+c.Runtime)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Environment)) {
		list = append(list, name+"="+c.Environment[name])
	}
	return list
}

// newLogStreamName returns a CloudWatch Logs stream name in the form of Lambda's: "2026/11/22/[$LATEST]<32 hexadecimal
// digits>".
func newLogStreamName(now time.Time) string {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	return fmt.Sprintf("%s/[$LATEST]%x", now.UTC().Format("2006/01/02"), random)
}
