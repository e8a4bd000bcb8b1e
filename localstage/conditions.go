package localstage

import (
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"signedsocket/localstage/internal/policy"
)

// conditions returns the condition keys of every signed request, except for those about its caller.
// Source: IAM User Guide, "AWS global condition context keys".
func conditions(r *http.Request) policy.Context {
	ip, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		ip = r.RemoteAddr
	}
	now := time.Now().UTC()
	return policy.Context{
		"aws:SourceIp":        {ip},
		"aws:SecureTransport": {"true"}, // AWS has no other; here it is loopback
		"aws:CurrentTime":     {now.Format(time.RFC3339)},
		"aws:EpochTime":       {strconv.FormatInt(now.Unix(), 10)},
		"aws:RequestedRegion": {Region},
	}
}

// suppliedKeys are the condition keys that a request here can have, in lower case: those of conditions, of the caller
// (package iamauth) and of DynamoDB.
func suppliedKeys() []string {
	return []string{
		"aws:currenttime", "aws:epochtime", "aws:requestedregion", "aws:securetransport", "aws:sourceip",
		"aws:principalaccount", "aws:principalarn", "aws:principaltype", "aws:userid", "aws:username",
		"dynamodb:enclosingoperation", "dynamodb:leadingkeys",
	}
}

// warnOfPolicy logs, once and loudly, the parts of a role's policy that the stage evaluates otherwise than AWS.
func warnOfPolicy(log *slog.Logger, role string, document policy.Document) {
	for _, problem := range document.Problems() {
		log.Warn("a policy statement denies, because the local stage does not know a part of it",
			"role", role, "problem", problem.String())
	}
	for _, key := range document.ConditionKeys() {
		if !slices.Contains(suppliedKeys(), key) {
			log.Warn("a policy asks for a condition key that the local stage never supplies: here it counts as absent",
				"role", role, "key", key)
		}
	}
}
