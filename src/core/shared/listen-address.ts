import * as z from 'zod'

export const ListenAddress = z.object({ host: z.string(), port: z.int().min(0).max(65535) })
export type ListenAddress = z.infer<typeof ListenAddress>
