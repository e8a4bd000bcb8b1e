package sigv4

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// timeFormat is ISO 8601's basic format, the format of X-Amz-Date.
const timeFormat = "20060102T150405Z"

// claim is the parsed signature of a request, not yet verified.
type claim struct {
	path  string // raw, as in the request
	query query

	accessKeyID   string
	scope         scope
	terminator    string
	signedHeaders string // names in lower case, sorted, joined by semicolons
	signature     string
	token         string
	timestamp     string // as in the string to sign
	time          time.Time
	expires       string // X-Amz-Expires, "" if absent or signed by header
}

// readClaim parses the claim of a request from its Authorization header or its query.
func readClaim(r *http.Request, service string) (*claim, *Error) {
	var c claim
	rawQuery := ""
	c.path, rawQuery, _ = strings.Cut(r.RequestURI, "?")
	if !strings.HasPrefix(c.path, "/") {
		return nil, malformed("The request target must be a path.")
	}
	var err error
	c.query, err = parseQuery(rawQuery)
	byHeader := len(r.Header["Authorization"]) > 0
	byQuery := err == nil && c.query.has(paramAlgorithm)
	switch {
	case err != nil && !byHeader && !strings.Contains(strings.ToLower(rawQuery), "x-amz-"):
		return nil, missingToken(service)
	case err != nil:
		return nil, malformed("Malformed query string: " + err.Error() + ".")
	case byHeader && byQuery:
		return nil, bothForms()
	case byHeader:
		return &c, c.readHeader(r, service)
	case byQuery:
		return &c, c.readQuery()
	default:
		return nil, missingToken(service)
	}
}

// readQuery parses the X-Amz-* parameters.
//
// Source of the messages: answers of AWS services, as public clients and test
// suites recorded them.
func (c *claim) readQuery() *Error {
	missing := ""
	for _, name := range []string{paramAlgorithm, paramCredential, paramSignature, paramSignedHeaders, paramDate} {
		if c.query.value(name) == "" {
			missing += "AWS query-string parameters must include '" + name + "'. "
		}
	}
	if missing != "" {
		return malformed(missing + "Re-examine the query-string parameters.")
	}
	if got := c.query.value(paramAlgorithm); got != algorithm {
		return unsupportedAlgorithm(got)
	}
	c.signedHeaders = c.query.value(paramSignedHeaders)
	c.signature = c.query.value(paramSignature)
	c.token = c.query.value(paramSecurityToken)
	c.expires = c.query.value(paramExpires)
	return c.readCommon(c.query.value(paramCredential), c.query.value(paramDate))
}

// readHeader parses the Authorization header, and the headers that belong to it.
func (c *claim) readHeader(r *http.Request, service string) *Error {
	header, once := singleHeader(r, "Authorization")
	date, dateOnce := singleHeader(r, "X-Amz-Date")
	token, tokenOnce := singleHeader(r, "X-Amz-Security-Token")
	if !once || !dateOnce || !tokenOnce {
		return malformed("A header of the signature is repeated.")
	}
	if date == "" {
		date = basicDate(r.Header.Get("Date"))
	}
	a, refusal := parseAuthorization(header, service)
	if refusal != nil {
		return refusal
	}
	if missing := a.missing(date); missing != "" {
		return malformed(missing + "(Hashed with SHA-256 and encoded with Base64) Authorization=" + hashed(header))
	}
	c.signedHeaders, c.signature, c.token = a.signedHeaders, a.signature, token
	return c.readCommon(a.credential, date)
}

// authorization holds the parameters of an Authorization header.
type authorization struct {
	credential, signature, signedHeaders string
}

// parseAuthorization parses the algorithm and the name=value pairs after it.
func parseAuthorization(header, service string) (authorization, *Error) {
	var a authorization
	name, pairs, _ := strings.Cut(header, " ")
	switch {
	case !strings.HasPrefix(name, "AWS4-") && service == ServiceDynamoDB:
		return a, missingToken(service)
	case !strings.HasPrefix(name, "AWS4-"):
		return a, notKeyValue(header)
	case name != algorithm:
		return a, unsupportedAlgorithm(name)
	}
	for pair := range strings.SplitSeq(pairs, ",") {
		name, value, found := strings.Cut(strings.TrimSpace(pair), "=")
		if !found && name != "" {
			return a, notKeyValue(header)
		}
		if field := a.field(name); field != nil {
			if *field != "" {
				return a, malformed("Authorization header has a parameter more than once.")
			}
			*field = value
		}
	}
	return a, nil
}

// field returns the place of a parameter, or nil for an unknown one.
func (a *authorization) field(name string) *string {
	switch name {
	case "Credential":
		return &a.credential
	case "Signature":
		return &a.signature
	case "SignedHeaders":
		return &a.signedHeaders
	default:
		return nil
	}
}

// missing names the parameters that a header signature lacks, or returns "".
func (a *authorization) missing(date string) string {
	message := ""
	for _, name := range []string{"Credential", "Signature", "SignedHeaders"} {
		if *a.field(name) == "" {
			message += "Authorization header requires '" + name + "' parameter. "
		}
	}
	if date == "" {
		message += "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
	}
	return message
}

// readCommon parses the parts that both forms share.
func (c *claim) readCommon(credential, date string) *Error {
	t, err := time.Parse(timeFormat, date)
	if err != nil || len(date) != len(timeFormat) { // time.Parse would take fractions of a second
		return malformed("Date must be in ISO-8601 'basic format'. Got '" + date +
			"'. See http://en.wikipedia.org/wiki/ISO_8601")
	}
	c.timestamp, c.time = date, t

	parts := strings.Split(credential, "/")
	if len(parts) != 5 {
		return malformed("Credential must have exactly 5 slash-delimited elements, e.g. " +
			"keyid/date/region/service/term, got '" + credential + "'")
	}
	c.accessKeyID, c.terminator = parts[0], parts[4]
	c.scope = scope{date: parts[1], region: parts[2], service: parts[3]}
	return checkSignedHeaders(c.signedHeaders)
}

// checkSignedHeaders checks that the names are in lower case, in order, each once, and that host is among them. The
// signature does not cover other headers: like most services, and unlike S3, this one requires no header but host.
func checkSignedHeaders(names string) *Error {
	previous, hasHost := "", false
	for name := range strings.SplitSeq(names, ";") {
		if name <= previous || !isHeaderName(name) {
			return malformed("SignedHeaders must be names of headers in lower case, sorted, each once, joined by " +
				"semicolons.")
		}
		hasHost = hasHost || name == "host"
		previous = name
	}
	if !hasHost {
		return hostNotSigned()
	}
	return nil
}

// isHeaderName reports whether all of name may stand in a header's name in lower case.
func isHeaderName(name string) bool {
	for i := range len(name) {
		if c := name[i]; !isUnreserved(c) || c == '~' || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return true
}

// checkScope compares the credential's scope with the expected one.
func (c *claim) checkScope(region, service string) *Error {
	message := ""
	if c.scope.region != region {
		message += "Credential should be scoped to a valid region. "
	}
	if c.scope.service != service {
		message += "Credential should be scoped to correct service: '" + service + "'. "
	}
	if c.terminator != terminator {
		message += "Credential should be scoped with a valid terminator: '" + terminator +
			"', not '" + c.terminator + "'. "
	}
	if day := c.timestamp[:len("20060102")]; c.scope.date != day {
		message += "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '" +
			c.scope.date + "' != '" + day + "', from '" + c.timestamp + "'. "
	}
	if message != "" {
		return wrongScope(message)
	}
	return nil
}

// checkTime checks that now is within the Window around X-Amz-Date, to the second.
func (c *claim) checkTime(now time.Time, enforceExpires bool) *Error {
	now = now.UTC().Truncate(time.Second)
	if earliest := now.Add(-Window); c.time.Before(earliest) {
		return signatureExpired(c.timestamp, earliest, now, "5 min.")
	}
	if latest := now.Add(Window); c.time.After(latest) {
		return signatureNotYetCurrent(c.timestamp, latest, now)
	}
	if !enforceExpires || c.expires == "" {
		return nil
	}
	seconds, err := strconv.ParseUint(c.expires, 10, 31)
	if err != nil {
		return malformed("X-Amz-Expires must be a number of seconds.")
	}
	if earliest := now.Add(-time.Duration(seconds) * time.Second); c.time.Before(earliest) {
		return signatureExpired(c.timestamp, earliest, now, c.expires+" sec.")
	}
	return nil
}

// singleHeader returns the value of a header that may stand once. It returns "" if the header is absent, and false if
// it stands more than once.
func singleHeader(r *http.Request, name string) (string, bool) {
	values := r.Header[name]
	if len(values) == 0 {
		return "", true
	}
	return strings.TrimSpace(values[0]), len(values) == 1
}

// basicDate returns the time of a Date header in the format of X-Amz-Date, or "" if there is none. It leaves a Date in
// that format as it is.
func basicDate(date string) string {
	if t, err := http.ParseTime(date); err == nil {
		return t.UTC().Format(timeFormat)
	}
	return date
}
