package sigv4

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// grantURL is a signed URL with the kinds of parameters that a grant has.
func grantURL(t testing.TB) string {
	return presign(t, http.MethodGet,
		"https://"+testHost+"/prod?v=1&sub=alice&rm=lobby.team&rm=x&exp=1795327210&X-Amz-Expires=10", ServiceExecuteAPI)
}

// targetOf returns the request target of a URL.
func targetOf(t testing.TB, rawURL string) string {
	t.Helper()
	_, target, found := strings.Cut(rawURL, testHost)
	if !found {
		t.Fatalf("%q is not on the test host", rawURL)
	}
	return target
}

func TestAnyChangeOfASignedURLIsRefused(t *testing.T) {
	t.Parallel()
	v := newTestVerifier()
	target := targetOf(t, grantURL(t))
	if err := verify(v, get(target), nil); err != nil {
		t.Fatalf("the unchanged URL: %v", err)
	}
	replace := func(old, new string) func(*http.Request) {
		return func(r *http.Request) { r.RequestURI = strings.Replace(r.RequestURI, old, new, 1) }
	}
	appended := func(s string) func(*http.Request) { return func(r *http.Request) { r.RequestURI += s } }
	changes := map[string]func(*http.Request){
		"path":                      replace("/prod?", "/dev?"),
		"path, slash added":         replace("/prod?", "/prod/?"),
		"path, slash doubled":       replace("/prod?", "//prod?"),
		"path, dot segment":         replace("/prod?", "/./prod?"),
		"path, escaped":             replace("/prod?", "/%70rod?"),
		"path, case":                replace("/prod?", "/Prod?"),
		"method":                    func(r *http.Request) { r.Method = http.MethodPost },
		"method, case":              func(r *http.Request) { r.Method = "get" },
		"host":                      func(r *http.Request) { r.Host = "evil.example" },
		"host, port added":          func(r *http.Request) { r.Host += ":443" },
		"host, case":                func(r *http.Request) { r.Host = strings.ToUpper(r.Host) },
		"parameter added":           appended("&admin=1"),
		"parameter added, empty":    appended("&="),
		"parameter added, bare":     appended("&admin"),
		"parameter repeated":        appended("&sub=alice"),
		"parameter repeated, other": appended("&sub=mallory"),
		"parameter in another case": replace("sub=", "Sub="),
		"twin in another case":      appended("&Sub=mallory"),
		"signature repeated":        appended("&X-Amz-Signature=" + strings.Repeat("0", 64)),
		"signature in another case": replace("X-Amz-Signature=", "x-amz-signature="),
		"signature in upper hex":    func(r *http.Request) { r.RequestURI = upperSignature(r.RequestURI) },
		"signature cut":             func(r *http.Request) { r.RequestURI = r.RequestURI[:len(r.RequestURI)-1] },
		"signature emptied":         func(r *http.Request) { r.RequestURI = r.RequestURI[:len(r.RequestURI)-64] },
		"credential twin": appended("&x-amz-credential=" +
			"AKIDUSER%2F20261122%2Fus-east-1%2Fexecute-api%2Faws4_request"),
		"date twin":              appended("&X-AMZ-DATE=20261122T060100Z"),
		"unreserved Amz twin":    appended("&x-amz-other=1"),
		"plus for a space":       replace("sub=alice", "sub=al+ice"),
		"semicolon as separator": appended(";admin=1"),
		"NUL":                    replace("sub=alice", "sub=alice%00"),
		"broken escape":          replace("sub=alice", "sub=alice%"),
		"broken escape, hex":     replace("sub=alice", "sub=alice%zz"),
		"escape decoded twice":   replace("sub=alice", "sub=al%2569ce"),
		"absolute target":        func(r *http.Request) { r.RequestURI = "https://" + testHost + r.RequestURI },
		"authorization header added": func(r *http.Request) {
			r.Header.Set("Authorization",
				"AWS4-HMAC-SHA256 Credential=a")
		},
		"body added": nil, // see below
	}
	for _, p := range strings.Split(target[strings.IndexByte(target, '?')+1:], "&") {
		name, value, _ := strings.Cut(p, "=")
		changes[name+" changed"] = replace(p, name+"="+flip(value))
		changes[name+" removed"] = replace(p, "")
		changes[name+" renamed"] = replace(p, name+"2="+value)
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, body := get(target), []byte(nil)
			if change == nil {
				body = []byte("body")
			} else {
				change(r)
				if r.RequestURI == target && r.Method == http.MethodGet && r.Host == testHost && len(r.Header) == 0 {
					t.Fatal("the change changed nothing")
				}
			}
			if err := verify(v, r, body); err == nil {
				t.Errorf("accepted %s %s on %s", r.Method, r.RequestURI, r.Host)
			}
		})
	}
}

// flip changes the last character of a parameter's value.
func flip(value string) string {
	last := byte('1')
	if strings.HasSuffix(value, "1") {
		last = '2'
	}
	return value[:len(value)-1] + string(last)
}

func upperSignature(target string) string {
	const name = "X-Amz-Signature="
	i := strings.Index(target, name) + len(name)
	return target[:i] + strings.ToUpper(target[i:])
}

func TestSameURLWrittenInAnotherWayIsAccepted(t *testing.T) {
	t.Parallel()
	target := targetOf(t, grantURL(t))
	path, query, _ := strings.Cut(target, "?")
	parameters := strings.Split(query, "&")
	reversed := make([]string, 0, len(parameters))
	for _, p := range parameters {
		reversed = append([]string{p}, reversed...)
	}
	for name, other := range map[string]string{
		"another order":           path + "?" + strings.Join(reversed, "&"),
		"lower-case escapes":      strings.ReplaceAll(target, "%2F", "%2f"),
		"no escapes":              strings.ReplaceAll(target, "%2F", "/"),
		"an unreserved escaped":   strings.Replace(target, "sub=alice", "sub=%61lice", 1),
		"a name escaped":          strings.Replace(target, "sub=alice", "%73ub=alice", 1),
		"a reserved name escaped": strings.Replace(target, "X-Amz-Date=", "X%2DAmz-Date=", 1),
		"empty parts":             path + "?&" + strings.ReplaceAll(query, "&", "&&") + "&",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if other == target {
				t.Fatal("it is written in the same way")
			}
			if err := verify(newTestVerifier(), get(other), nil); err != nil {
				t.Errorf("Verify: %v", err)
			}
		})
	}
}

func TestAnyChangeOfASignedPostIsRefused(t *testing.T) {
	t.Parallel()
	const postURL = "https://" + testHost + "/prod/@connections/L0SM9cOFvHcCIhw%3D?a=1"
	v := newTestVerifier()
	set := func(name, value string) func(*http.Request, []byte) {
		return func(r *http.Request, _ []byte) { r.Header.Set(name, value) }
	}
	edit := func(name, old, new string) func(*http.Request, []byte) {
		return func(r *http.Request, _ []byte) {
			r.Header.Set(name, strings.Replace(r.Header.Get(name), old, new, 1))
		}
	}
	for name, change := range map[string]func(r *http.Request, body []byte){
		"path": func(r *http.Request, _ []byte) {
			r.RequestURI = "/prod/@connections/L0SM9cOFvHcCIhx%3D?a=1"
		},
		"path, escaped once more": func(r *http.Request, _ []byte) {
			r.RequestURI = "/prod/%40connections/L0SM9cOFvHcCIhw%3D?a=1"
		},
		"query": func(r *http.Request, _ []byte) {
			r.RequestURI = "/prod/@connections/L0SM9cOFvHcCIhw%3D?a=2"
		},
		"method":                 func(r *http.Request, _ []byte) { r.Method = http.MethodDelete },
		"host":                   func(r *http.Request, _ []byte) { r.Host = "evil.example" },
		"body":                   func(_ *http.Request, body []byte) { body[0] = 'J' },
		"signed header":          set("Content-Type", "text/plain"),
		"signed header repeated": func(r *http.Request, _ []byte) { r.Header.Add("Content-Type", "text/plain") },
		"signed header removed":  func(r *http.Request, _ []byte) { r.Header.Del("Content-Type") },
		"signed length":          set("Content-Length", "6"),
		"date":                   set("X-Amz-Date", "20261122T060001Z"),
		"date repeated":          func(r *http.Request, _ []byte) { r.Header.Add("X-Amz-Date", "20261122T060000Z") },
		"token":                  set("X-Amz-Security-Token", "tok/en+=A"),
		"token removed":          func(r *http.Request, _ []byte) { r.Header.Del("X-Amz-Security-Token") },
		"token repeated":         func(r *http.Request, _ []byte) { r.Header.Add("X-Amz-Security-Token", testToken) },
		"authorization repeated": func(r *http.Request, _ []byte) {
			r.Header.Add("Authorization",
				r.Header.Get("Authorization"))
		},
		"payload hash of another": set("X-Amz-Content-Sha256", emptyHash),
		"payload unsigned":        set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"),
		"key":                     edit("Authorization", testAccessKeyID, "AKIDUSER"),
		"scope date":              edit("Authorization", "20261122", "20261121"),
		"scope region":            edit("Authorization", "us-east-1", "us-west-2"),
		"scope service":           edit("Authorization", "execute-api", "dynamodb"),
		"scope terminator":        edit("Authorization", "aws4_request", "aws5_request"),
		"algorithm":               edit("Authorization", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512"),
		"host not signed":         edit("Authorization", "host;", ""),
		"header unsigned":         edit("Authorization", "content-type;", ""),
		"names in another order":  edit("Authorization", "content-length;content-type", "content-type;content-length"),
		"name repeated":           edit("Authorization", "host;", "host;host;"),
		"name in another case":    edit("Authorization", "host;", "Host;"),
		"names empty":             edit("Authorization", "SignedHeaders=", "SignedHeaders=;"),
		"credential repeated": edit("Authorization", "Credential=",
			"Credential=AKIDUSER/20261122/us-east-1/execute-api/aws4_request, Credential="),
		"signature": edit("Authorization", "Signature=", "Signature=0"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRequest(t, http.MethodPost, postURL, "hello")
			r.Header.Set("Content-Type", "application/octet-stream")
			if err := v4.NewSigner().SignHTTP(t.Context(), sdkCredentials(), r, hashOf("hello"), ServiceExecuteAPI,
				testRegion, testTime()); err != nil {
				t.Fatalf("sign: %v", err)
			}
			arrived, body := arrive(t, r)
			if err := verify(v, arrived, body); err != nil {
				t.Fatalf("the unchanged request: %v", err)
			}
			change(arrived, body)
			if err := verify(v, arrived, body); err == nil {
				t.Error("accepted")
			}
		})
	}
}

// An unsigned header may change: like API Gateway, the verifier requires no header but host.
func TestUnsignedHeadersMayChange(t *testing.T) {
	t.Parallel()
	r := get(targetOf(t, grantURL(t)))
	r.Header.Set("Origin", "https://chat.example")
	r.Header.Set("X-Amz-Something", "else")
	if err := verify(newTestVerifier(), r, nil); err != nil {
		t.Errorf("Verify: %v", err)
	}
}

func TestSignatureForAnotherPlaceIsRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ service, region string }{
		"another service": {ServiceDynamoDB, testRegion},
		"another region":  {ServiceExecuteAPI, "eu-west-1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			signed, _, err := v4.NewSigner().PresignHTTP(t.Context(), sdkCredentials(),
				newRequest(t, http.MethodGet, "https://"+testHost+"/prod", ""),
				emptyHash, tt.service, tt.region, testTime())
			if err != nil {
				t.Fatalf("presign: %v", err)
			}
			// The scope is rewritten to the expected one, too.
			u, err := url.Parse(signed)
			if err != nil {
				t.Fatal(err)
			}
			rewritten := strings.NewReplacer(tt.service, ServiceExecuteAPI, tt.region, testRegion).Replace(u.RawQuery)
			for _, query := range []string{u.RawQuery, rewritten} {
				var refusal *Error
				if err := verify(newTestVerifier(), get("/prod?"+query), nil); !errors.As(err, &refusal) ||
					refusal.Code != CodeInvalidSignature {
					t.Errorf("Verify = %v, want %s", err, CodeInvalidSignature)
				}
			}
		})
	}
}

func TestTimeWindow(t *testing.T) {
	t.Parallel()
	target := targetOf(t, grantURL(t)) // X-Amz-Expires=10
	for name, tt := range map[string]struct {
		after  time.Duration
		strict bool
		want   string // beginning of the message, "" for an accepted request
	}{
		"at once":                {0, false, ""},
		"expiry is not enforced": {11 * time.Second, false, ""},
		"five minutes later":     {Window, false, ""},
		"a fraction more":        {Window + 999*time.Millisecond, false, ""},
		"a second more": {
			Window + time.Second,
			false,
			"Signature expired: 20261122T060000Z is now earlier than 20261122T060001Z (20261122T060501Z - 5 min.)",
		},
		"five minutes earlier": {-Window, false, ""},
		"a second before that": {-Window - time.Second, false, "Signature not yet current: 20261122T060000Z is " +
			"still later than 20261122T055959Z (20261122T055459Z + 5 min.)"},
		"strict, at the expiry": {10 * time.Second, true, ""},
		"strict, after the expiry": {
			11 * time.Second,
			true,
			"Signature expired: 20261122T060000Z is now earlier than 20261122T060001Z (20261122T060011Z - 10 sec.)",
		},
		"strict, from the future": {-Window - time.Second, true, "Signature not yet current"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := NewVerifier(Config{Region: testRegion, Keys: testKeys(), EnforceExpires: tt.strict})
			_, err := v.Verify(Input{Request: get(target), Service: ServiceExecuteAPI, Now: testTime().Add(tt.after)})
			var refusal *Error
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("Verify: %v", err)
			case tt.want != "" && (!errors.As(err, &refusal) || refusal.Code != CodeInvalidSignature ||
				!strings.HasPrefix(refusal.Message(), tt.want)):
				t.Errorf("Verify = %#v, want %q", err, tt.want)
			}
		})
	}
}

func TestStrictExpiryMustBeANumber(t *testing.T) {
	t.Parallel()
	url := presign(t, http.MethodGet, "https://"+testHost+"/prod?X-Amz-Expires=soon", ServiceExecuteAPI)
	for strict, want := range map[bool]string{false: "", true: CodeIncompleteSignature} {
		v := NewVerifier(Config{Region: testRegion, Keys: testKeys(), EnforceExpires: strict})
		err := verify(v, get(targetOf(t, url)), nil)
		var refusal *Error
		if errors.As(err, &refusal) != strict || strict && refusal.Code != want {
			t.Errorf("strict %v: Verify = %v, want %q", strict, err, want)
		}
	}
}
