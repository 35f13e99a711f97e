import { type JsonValue, query } from 'jsonpath-rfc9535'
import * as z from 'zod'
import { failed, ok, type Result } from '../../core/shared/result.ts'

const Json: z.ZodType<JsonValue> = z.custom<JsonValue>((input) => input !== undefined)

/** All nodes that a JSONPath names, or what is wrong with the path. */
export function nodesAt(document: unknown, path: string): Result<unknown[], string> {
  try {
    return ok(query(Json.parse(document), path))
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return failed(error.message)
  }
}
