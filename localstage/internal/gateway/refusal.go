package gateway

import (
	"net/http"

	"signedsocket/localstage/internal/awsrest"
)

// refusal is an answer by which the gateway itself refuses a request. The bodies have the spacing of the service.
type refusal struct {
	status    int
	errorType string // x-amzn-ErrorType, none when empty
	body      string // JSON, none when empty
}

// These are the gateway's own refusals.
var (
	// Source: observed on @connections for a wrong stage or path; assumed for handshakes.
	forbidden = refusal{http.StatusForbidden, "ForbiddenException", `{"message":"Forbidden"}`}
	// Source: the length is of "Quotas for configuring and running a WebSocket API", the answer assumed.
	urlTooLong = refusal{
		http.StatusRequestURITooLong, "RequestEntityTooLargeException", `{"message":"Request URI Too Long"}`,
	}
	// Source: the status was observed for a plain GET, the body assumed.
	upgradeRequired = refusal{http.StatusUpgradeRequired, "", `{"message":"Upgrade Required"}`}
	// Source: RFC 6455, 4.2.1 for what is a bad handshake; the answer assumed.
	badRequest = refusal{http.StatusBadRequest, "BadRequestException", `{"message":"Bad Request"}`}
	// Source: the status was observed for a throttled account, the body assumed.
	tooManyRequests = refusal{http.StatusTooManyRequests, "TooManyRequestsException", `{"message":"Too Many Requests"}`}
	// Source: observed for a Lambda function that failed; the body assumed.
	badGateway = refusal{http.StatusBadGateway, "InternalServerErrorException", `{"message": "Internal server error"}`}
	// Source: observed on REST APIs that may not invoke their function.
	notPermitted = refusal{
		http.StatusInternalServerError, "InternalServerErrorException", `{"message": "Internal server error"}`,
	}
	// Source: "Gateway response types for API Gateway" (INTEGRATION_TIMEOUT), of REST APIs.
	gatewayTimeout = refusal{
		http.StatusGatewayTimeout, "InternalServerErrorException", `{"message": "Endpoint request timed out"}`,
	}
	// Source: "Use @connections commands in your backend service"; that the body is empty was observed.
	gone = refusal{http.StatusGone, "GoneException", ""}
	// Source: API model, PayloadTooLargeException; the text assumed.
	payloadTooLarge = refusal{
		http.StatusRequestEntityTooLarge, "PayloadTooLargeException", `{"message":"Payload Too Large"}`,
	}
	// Source: API model, LimitExceededException; the text assumed.
	limitExceeded = refusal{http.StatusTooManyRequests, "LimitExceededException", `{"message":"Too Many Requests"}`}
	// The answer of a stage that is shutting down. AWS has no such answer.
	stageClosed = refusal{
		http.StatusServiceUnavailable, "ServiceUnavailableException", `{"message":"Service Unavailable"}`,
	}
)

// write sends the refusal.
func (f refusal) write(w http.ResponseWriter) {
	if f.status == http.StatusUpgradeRequired {
		// RFC 9110, 15.5.22: the answer must name the protocol.
		h := w.Header()
		h.Set("Upgrade", "websocket")
		h.Set("Connection", "Upgrade")
		h.Set("Sec-WebSocket-Version", webSocketVersion)
	}
	awsrest.WriteGatewayError(w, f.status, f.errorType, []byte(f.body))
}
