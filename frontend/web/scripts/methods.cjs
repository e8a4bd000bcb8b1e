// Node.js loads this file before the server. Next.js cannot make a request of some methods, such as TRACE, and would
// answer 500, which raises an alarm. So this file refuses methods that the page does not know.
const { Server } = require("node:http");

const ALLOWED = ["GET", "HEAD", "POST", "OPTIONS"];
const { emit } = Server.prototype;

Server.prototype.emit = function (event, request, response, ...rest) {
  if ((event !== "request" && event !== "checkContinue") || ALLOWED.includes(request.method))
    return emit.call(this, event, request, response, ...rest);
  response.writeHead(405, { Allow: ALLOWED.join(", "), "Cache-Control": "no-store", "Content-Length": 0 }).end();
  return true;
};
