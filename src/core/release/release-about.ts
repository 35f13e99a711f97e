import * as z from 'zod'

const MAX_NOTES = 10_000

/** What people say about a release and where it was made from. It changes nothing that runs, so it is no part of its identity. */
export const ReleaseAbout = z.strictObject({
  notes: z.string().min(1).max(MAX_NOTES).exactOptional().describe('What is new in it, for people.'),
  commit: z
    .string()
    .regex(/^[0-9a-fA-F]{7,64}$/, 'must be 7 to 64 hexadecimal digits')
    .exactOptional()
    .describe('Commit it was made from.'),
  dirty: z.boolean().exactOptional().describe('The working tree had changes that are in no commit.'),
})
export type ReleaseAbout = z.infer<typeof ReleaseAbout>
