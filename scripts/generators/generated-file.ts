/** A file that is made from the source. `scripts/generate.ts` writes it and checks that it is up to date. */
export type GeneratedFile = {
  /** Relative to the root of the repository. */
  path: string
  content(): string | Promise<string>
}
