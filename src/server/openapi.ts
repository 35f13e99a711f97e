import * as z from 'zod'
import { ServiceView } from '../core/rollout/view/view.ts'
import { Problem } from '../core/shared/problem.ts'
import type { Operation } from '../operations/operation.ts'

/** OpenAPI 3.1 of all operations, made from the schemas that read and write the wire. */
export function openApi<Context>(operations: readonly Operation<Context>[], version: string): object {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sluice',
      version,
      description: 'Controls rollouts. Served on a unix socket and on 127.0.0.1.',
    },
    security: [{ bearer: [] }, { session: [] }],
    paths: {
      ...Object.fromEntries(operations.map((one) => [`/api/v1/${one.name}`, { post: describe(one) }])),
      '/api/v1/events': { get: EVENTS },
    },
    components: {
      schemas: { Problem: schemaOf(Problem, 'output'), ServiceView: schemaOf(ServiceView, 'output') },
      responses: {
        Problem: {
          description: 'Why it was refused or failed, and what can be done.',
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'The token from the file `token` in the state folder.',
        },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'sluice_<port>',
          description: 'Set by the login of the page.',
        },
      },
    },
  }
}

const PROBLEM = { $ref: '#/components/responses/Problem' }

const describe = <Context>(operation: Operation<Context>): object => ({
  operationId: operation.name,
  summary: operation.summary,
  tags: [operation.permission],
  requestBody: {
    required: true,
    content: { 'application/json': { schema: schemaOf(operation.input, 'input') } },
  },
  responses: {
    200: {
      description: 'Done.',
      content: { 'application/json': { schema: schemaOf(operation.output, 'output') } },
    },
    default: PROBLEM,
  },
})

const EVENTS = {
  operationId: 'events',
  summary: 'Server-sent events: each service view now and on every change.',
  parameters: [
    { name: 'stream', in: 'query', required: false, schema: { type: 'string' }, example: 'shop.local' },
  ],
  responses: {
    200: {
      description: 'Events named `service`; `id` is the revision, `data` a ServiceView as JSON.',
      content: { 'text/event-stream': { schema: { $ref: '#/components/schemas/ServiceView' } } },
    },
    default: PROBLEM,
  },
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): object {
  const { $schema: _, ...shape } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return shape
}
