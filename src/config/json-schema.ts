import * as z from 'zod'
import { SluiceFile } from './schema.ts'

/** The parts of a JSON Schema that we read back: to name known keys and to print the reference. */
export type SchemaNode = {
  title?: string
  description?: string
  type?: string | string[]
  default?: unknown
  enum?: unknown[]
  const?: unknown
  properties?: Record<string, SchemaNode>
  required?: string[]
  additionalProperties?: SchemaNode | boolean
  items?: SchemaNode
  anyOf?: SchemaNode[]
  oneOf?: SchemaNode[]
}
const SchemaNode: z.ZodType<SchemaNode> = z.lazy(() =>
  z.object({
    title: z.string().exactOptional(),
    description: z.string().exactOptional(),
    type: z.union([z.string(), z.array(z.string())]).exactOptional(),
    default: z.unknown().exactOptional(),
    enum: z.array(z.unknown()).exactOptional(),
    const: z.unknown().exactOptional(),
    properties: z.record(z.string(), SchemaNode).exactOptional(),
    required: z.array(z.string()).exactOptional(),
    additionalProperties: z.union([z.boolean(), SchemaNode]).exactOptional(),
    items: SchemaNode.exactOptional(),
    anyOf: z.array(SchemaNode).exactOptional(),
    oneOf: z.array(SchemaNode).exactOptional(),
  }),
)

/** The JSON Schema (draft 2020-12) of `sluice.yaml`, for editors. */
export function fileJsonSchema(): unknown {
  const schema = { title: 'sluice.yaml', ...jsonSchemaOf(SluiceFile, 'ref') }
  const empty = Object.keys(schema.$defs ?? {}).filter(
    (name) => Object.keys(schema.$defs?.[name] ?? {}).length === 0,
  )
  // The inner side of our own scalars is "anything", which says nothing in a schema.
  return JSON.parse(JSON.stringify(schema), (key, value) =>
    empty.includes(key) || (key === '$ref' && empty.includes(String(value).replace('#/$defs/', '')))
      ? undefined
      : value,
  )
}

/** zod drops the default of a schema that transforms its input; ours are written as in the file, so they are right. */
const jsonSchemaOf = (schema: z.ZodType, reused: 'ref' | 'inline') =>
  z.toJSONSchema(schema, {
    io: 'input',
    reused,
    override: ({ zodSchema, jsonSchema }) => {
      const meta = z.globalRegistry.get(zodSchema)
      if (meta?.default !== undefined) Object.assign(jsonSchema, { default: meta.default })
    },
  })

export const schemaNodeOf = (schema: z.ZodType): SchemaNode =>
  SchemaNode.parse(jsonSchemaOf(schema, 'inline'))

/** All nodes that can describe the value at a path; several where the file allows several shapes. */
export function nodesAt(root: SchemaNode, path: readonly PropertyKey[]): SchemaNode[] {
  let nodes = alternatives(root)
  for (const key of path) {
    nodes = nodes.flatMap((node) => childOf(node, key)).flatMap(alternatives)
  }
  return nodes
}

/** The keys that a mapping at the path may have. */
export const knownKeysAt = (root: SchemaNode, path: readonly PropertyKey[]): string[] => [
  ...new Set(nodesAt(root, path).flatMap((node) => Object.keys(node.properties ?? {}))),
]

/** Whether a key with this name is known somewhere: the path of the mapping it belongs to, the shortest one. */
export function homeOf(root: SchemaNode, key: string): string | null {
  let level: { path: string[]; node: SchemaNode }[] = [{ path: [], node: root }]
  while (level.length > 0) {
    const nodes = level.flatMap(({ path, node }) => alternatives(node).map((one) => ({ path, node: one })))
    const home = nodes.find(({ path, node }) => path.length > 0 && Object.hasOwn(node.properties ?? {}, key))
    if (home !== undefined) return home.path.join('.')
    level = nodes.flatMap(({ path, node }) =>
      Object.entries(node.properties ?? {})
        .filter(([name]) => name !== 'environments' && name !== 'services')
        .map(([name, child]) => ({ path: [...path, name], node: child })),
    )
  }
  return null
}

function alternatives(node: SchemaNode): SchemaNode[] {
  const shapes = node.anyOf ?? node.oneOf
  return shapes === undefined ? [node] : shapes.flatMap(alternatives)
}

function childOf(node: SchemaNode, key: PropertyKey): SchemaNode[] {
  if (typeof key === 'number') return node.items === undefined ? [] : [node.items]
  const named = Object.hasOwn(node.properties ?? {}, key) ? node.properties?.[String(key)] : undefined
  if (named !== undefined) return [named]
  return typeof node.additionalProperties === 'object' ? [node.additionalProperties] : []
}
