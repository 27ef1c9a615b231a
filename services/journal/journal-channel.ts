/**
 * Channel on which the sequencer wakes those who follow the sequenced journal, at most ten times a second and without data. A
 * missed notification does no harm: readers look once a second as well.
 */
export const journalChannel = 'turnpike_journal';
