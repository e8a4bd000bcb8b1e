// Presigns a wss:// URL with the signer of AWS's SDK for JavaScript.
//
//   AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… [AWS_SESSION_TOKEN=…] \
//     node presign.mjs <region> <socket URL> <query as JSON object>
//
// prints the signed URL.
import { Sha256 } from "@aws-crypto/sha256-js";
import { SignatureV4 } from "@smithy/signature-v4";

const [region, socketURL, query] = process.argv.slice(2);
const url = new URL(socketURL);

const signer = new SignatureV4({
  service: "execute-api",
  region,
  sha256: Sha256,
  credentials: {
    accessKeyId: process.env.AWS_ACCESS_KEY_ID,
    secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY,
    sessionToken: process.env.AWS_SESSION_TOKEN || undefined,
  },
});

const signed = await signer.presign(
  {
    method: "GET",
    protocol: url.protocol,
    hostname: url.hostname,
    port: url.port ? Number(url.port) : undefined,
    path: url.pathname,
    query: JSON.parse(query),
    headers: { host: url.host },
  },
  { expiresIn: 10 },
);

const parameters = Object.entries(signed.query).map(
  ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
);
console.log(`${url.protocol}//${url.host}${signed.path}?${parameters.join("&")}`);
