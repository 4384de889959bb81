import type { AttackResult } from '../result.ts';

/** Where an AUC says nothing: further down is a trace as well as further up. */
const AUC_BAND = [0.45, 0.55] as const;
/** The goal for every attack that searches. */
const RANK1_LIMIT = 0.05;
const CONTROL = 'contextOnlyControl';

const CONTROL_NOTE = `${CONTROL} is a control: hair, ears, neck and clothes are not anonymized, and tell who it is whatever becomes of the face.`;

/** What is remarkable about an attack's outcome: beyond the goal, or no attack at all; else ''. */
export function attackMark(name: string, { value, chance }: AttackResult): string {
  if (name === CONTROL) return 'control';
  if (/^(auc|matchedAuc)/.test(name)) return value < AUC_BAND[0] || value > AUC_BAND[1] ? 'outside .45–.55' : '';
  if (!(value > RANK1_LIMIT)) return '';
  return chance > RANK1_LIMIT ? 'above 5 %, as chance is' : 'above 5 %';
}

/** Sentences to stand below a table of attacks. */
export function attackNotes(attacks: Readonly<Record<string, AttackResult>>): string[] {
  return CONTROL in attacks ? [CONTROL_NOTE] : [];
}
