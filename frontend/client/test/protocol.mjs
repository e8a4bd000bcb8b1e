// The contract between server and clients, in the folder protocol of the repository.
import { readFile } from "node:fs/promises";

import { Ajv } from "ajv";
import { parse } from "yaml";

const read = (name) => readFile(new URL(`../../../protocol/${name}`, import.meta.url), "utf8");
const { components } = parse(await read("asyncapi.yaml"));
const signUrl = JSON.parse(await read("signurl.schema.json"));

const ajv = new Ajv({ strict: false, schemas: { "asyncapi.yaml": { components }, "signurl.schema.json": signUrl } });

/** A function that throws why a value breaks the schema, and else does nothing. */
const check = (address) => (value) => {
  const validate = ajv.getSchema(address);
  if (!validate(value))
    throw new Error(`${JSON.stringify(value)} breaks ${address}: ${ajv.errorsText(validate.errors)}`);
};

export const fromClient = check("asyncapi.yaml#/components/schemas/fromClient");
export const fromServer = check("asyncapi.yaml#/components/schemas/fromServer");
export const signUrlRequest = check("signurl.schema.json#/definitions/request");
export const signUrlAnswer = check("signurl.schema.json#/definitions/answer");
export const signUrlRefusal = check("signurl.schema.json#/definitions/refusal");

/** The frames that the contract shows, by the names of the messages. */
export const frames = Object.fromEntries(
  Object.entries(components.messages).map(([name, { examples }]) => [name, examples.map(({ payload }) => payload)]),
);

/** The bodies that the contract shows: of a request, an answer and refusals. */
export const bodies = Object.fromEntries(
  Object.entries(signUrl.definitions).map(([name, { examples }]) => [name, examples ?? []]),
);
