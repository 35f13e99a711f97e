/** Where the lines of one service are, in the folder of the data plane; older ones beside it as `.1`, `.2` and so on. */
export const accessLogFile = (folder: string, service: string): string =>
  `${folder}/access/${encodeURIComponent(service)}.log`
