/**
 * How rollouts are judged, as a number: raised with every change after which the same counts may give another verdict, so
 * that a replay by a later version does not call "different" what was judged by an earlier method. A test with fixed
 * counts tells when that is due.
 */
export const ANALYSIS_METHOD = 2

/** Of rollouts from before the method was recorded. */
export const FIRST_METHOD = 1
