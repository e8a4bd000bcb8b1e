package dynamodb

import (
	"errors"
	"hash/crc32"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"signedsocket/localstage/internal/iamauth"
	"signedsocket/localstage/internal/policy"
	"signedsocket/localstage/internal/template"
)

const chatARN = "arn:aws:dynamodb:us-east-1:111122223333:table/chat"

// newUser returns a user of one policy statement.
func newUser(t *testing.T, statement string) *iamauth.Principal {
	t.Helper()
	document, err := policy.Parse([]byte(`{"Statement":` + statement + `}`))
	if err != nil {
		t.Fatal(err)
	}
	return iamauth.NewUserPrincipal(iamauth.User{
		AccountID: "111122223333", Name: "someone", Policies: []policy.Document{document},
	})
}

// newFront returns a front for the table chat with a new engine that has the table, too.
func newFront(t *testing.T, users ...*iamauth.Principal) *Front {
	t.Helper()
	engine := openEngine(t, Options{})
	makeTable(t, newClient(serve(t, engine)), "chat", "")
	authority, err := iamauth.New(iamauth.Config{Region: "us-east-1", Principals: users})
	if err != nil {
		t.Fatal(err)
	}
	front, err := NewFront(FrontOptions{
		Authority:  authority,
		Conditions: func(*http.Request) policy.Context { return policy.Context{} },
		Tables:     []template.Table{{Name: "chat", ARN: chatARN, CreateTable: []byte(makeChat)}},
		Region:     "us-east-1",
		AccountID:  "111122223333",
		Log:        slog.New(slog.DiscardHandler),
	}, engine)
	if err != nil {
		t.Fatal(err)
	}
	return front
}

func TestFrontRefusesInTheFormOfTheService(t *testing.T) {
	t.Parallel()
	mayNothing := newUser(t, `{"Effect":"Deny","Action":"*","Resource":"*"}`)
	front := newFront(t)
	_, unsigned := front.options.Authority.Authenticate(httptest.NewRequest(http.MethodPost, "/", nil), nil, "dynamodb")
	for name, test := range map[string]struct {
		refusal *iamauth.Refusal
		body    string
	}{
		"denied": {
			iamauth.Denied(mayNothing, "dynamodb:UpdateItem", chatARN, policy.Decision{}),
			`{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"User: ` +
				`arn:aws:iam::111122223333:user/someone is not authorized to perform: dynamodb:UpdateItem on ` +
				`resource: ` + chatARN + ` because no identity-based policy allows the dynamodb:UpdateItem action"}`,
		},
		"unsigned": {
			unsigned,
			`{"__type":"com.amazon.coral.service#MissingAuthenticationTokenException",` +
				`"message":"Request is missing Authentication Token"}`,
		},
	} {
		w := httptest.NewRecorder()
		refusedBy(test.refusal).respond(w)
		if w.Code != http.StatusBadRequest || w.Body.String() != test.body {
			t.Errorf("%s: answer is %d %s, want 400 %s", name, w.Code, w.Body, test.body)
		}
		for header, pattern := range map[string]string{
			"Content-Type": "^application/x-amz-json-1.0$", "x-amzn-RequestId": "^[A-Z2-7]{52}$",
			"X-Amz-Crc32":      "^" + strconv.FormatUint(uint64(crc32.ChecksumIEEE(w.Body.Bytes())), 10) + "$",
			"x-amzn-ErrorType": "^$", "x-amz-apigw-id": "^$",
			"Content-Length": "^" + strconv.Itoa(len(test.body)) + "$",
		} {
			if got := w.Header().Get(header); !regexp.MustCompile(pattern).MatchString(got) {
				t.Errorf("%s: %s is %q, want %q", name, header, got, pattern)
			}
		}
	}
}

// The SDK's own client signs, and must understand every answer.
func TestFrontAnswersTheSDK(t *testing.T) {
	t.Parallel()
	const everything = `{"Effect":"Allow","Action":"*","Resource":"*"}`
	admin, stranger := newUser(t, everything), newUser(t, everything)
	reader := newUser(t, `{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"*"}`)
	url := serve(t, newFront(t, admin, reader))
	for name, test := range map[string]struct {
		user         *iamauth.Principal
		region, code string
	}{
		"allowed":        {admin, "us-east-1", ""},
		"not allowed":    {reader, "us-east-1", "AccessDeniedException"},
		"unknown key":    {stranger, "us-east-1", "UnrecognizedClientException"},
		"another region": {admin, "eu-west-1", "InvalidSignatureException"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key := test.user.Credentials()
			client := awsdynamodb.New(awsdynamodb.Options{
				Region: test.region, BaseEndpoint: aws.String(url), HTTPClient: wholeAnswers{},
				Credentials: credentials.NewStaticCredentialsProvider(
					key.AccessKeyID, key.SecretAccessKey, key.SessionToken),
			})
			_, err := client.DescribeTable(t.Context(), &awsdynamodb.DescribeTableInput{TableName: aws.String("chat")})
			if test.code == "" {
				if err != nil {
					t.Errorf("call: %v", err)
				}
				return
			}
			var apiError smithy.APIError
			if !errors.As(err, &apiError) || apiError.ErrorCode() != test.code || apiError.ErrorMessage() == "" {
				t.Errorf("call = %v, want %s with a message", err, test.code)
			}
			var response *smithyhttp.ResponseError
			if !errors.As(err, &response) || response.HTTPStatusCode() != http.StatusBadRequest {
				t.Errorf("call = %v, want status 400", err)
			}
		})
	}
}

func TestFrontRefusesAHugeRequest(t *testing.T) {
	t.Parallel()
	response, body := post(t, serve(t, newFront(t)), "DynamoDB_20120810.ListTables", strings.Repeat(" ", maxRequest+1))
	if response.StatusCode != http.StatusBadRequest || !strings.Contains(body, "too large") {
		t.Errorf("got %s %s", response.Status, body)
	}
}
