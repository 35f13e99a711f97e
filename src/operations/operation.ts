import type * as z from 'zod'
import type { Result } from '../core/shared/result.ts'

/** Who calls: `person` through the CLI or the page. Recorded with everything that changes. */
export type Caller = { kind: 'person'; name: string; face: 'cli' | 'page' | 'api' }

/**
 * One use case. It becomes an HTTP route (`POST /api/v1/<name>`), a CLI command and a page of the reference.
 * `read` operations change nothing; `operate` ones are journalled with the caller.
 */
export interface Operation<
  Context,
  Input extends z.ZodType = z.ZodType,
  Output extends z.ZodType = z.ZodType,
> {
  /** snake_case, verb first: `list_services`. */
  readonly name: string
  readonly summary: string
  readonly input: Input
  readonly output: Output
  readonly permission: 'read' | 'operate'
  run(context: Context, input: z.infer<Input>, caller: Caller): Promise<Result<z.infer<Output>>>
}
