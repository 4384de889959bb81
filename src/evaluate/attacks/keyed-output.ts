import type { FaceRecord } from '../face-record.ts';
import type { Embeddings } from '../measurer.ts';

/** What somebody who has only an output can take from a face in it. */
export interface KeyedFace {
  readonly embeddings: Embeddings;
  /** 136 numbers, pixels of any one picture; absent when no face was found there. */
  readonly points?: Float32Array;
  /** 64² RGB, the square of the output's own points; where none were found, of the original's. */
  readonly outputAlone: Uint8Array;
}

/** One face of an output that was made with another key. */
export interface KeyedOutput extends KeyedFace {
  /** The record's name: `#2` … for further faces of a picture. */
  readonly name: string;
  readonly person: string;
}

/** The attacked output of a record, as what was made with another key is seen. */
export function attackedOutput({ name, person, embeddings, points, thumbs }: FaceRecord): KeyedOutput {
  return {
    name,
    person,
    embeddings: Object.fromEntries(Object.entries(embeddings).map(([key, e]) => [key, e.anonymized])),
    ...(points.anonymized && { points: points.anonymized }),
    outputAlone: thumbs.outputAlone,
  };
}
