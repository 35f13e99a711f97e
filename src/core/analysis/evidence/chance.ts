/** No figure of confidence beyond this: the model itself is not that sure. */
const MOST_ONE_IN = 1_000_000_000

/** What the highest log evidence says, valid however often one looked, where so many tests share the budget. */
export const chanceOf = (peakLogE: number, tests = 1): { pValue: number; oneIn: number } => ({
  pValue: Math.min(1, tests * Math.exp(-peakLogE)),
  oneIn: Math.max(1, Math.floor(Math.min(MOST_ONE_IN, Math.exp(peakLogE) / tests))),
})
