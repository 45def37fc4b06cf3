import { graphql } from "./gql/index.js";

export const uploadSound = graphql(`
  mutation UploadSound($file: Upload!, $tags: [String!]) {
    uploadAudio(input: { file: $file, tags: $tags }) {
      audioFile {
        id
        filename
        durationSeconds
      }
      errors {
        code
        message
      }
    }
  }
`);

export const analyzeSounds = graphql(`
  mutation AnalyzeSounds($audioFileIds: [ID!]!, $level: AnalysisLevel!) {
    createBatchJob(input: { audioFileIds: $audioFileIds, level: $level }) {
      batchJob {
        id
        total
      }
      errors {
        code
        message
      }
    }
  }
`);

export const watchBatch = graphql(`
  subscription WatchBatch($batchId: ID!) {
    batchProgress(batchId: $batchId, afterSequence: 0) {
      sequence
      batchJob {
        status
        total
        completed
        failed
      }
      item {
        status
        audioFile {
          filename
        }
        failure {
          code
          message
        }
      }
    }
  }
`);

export const findSimilar = graphql(`
  query FindSimilar($target: SimilarityTarget!, $first: Int!, $filter: AudioFileFilter) {
    similarTo(target: $target, first: $first, filter: $filter) {
      edges {
        score
        reasons {
          timbre
          envelope
          pitch
          rhythm
        }
        node {
          filename
          uploadedAt
          metadata
        }
      }
    }
  }
`);

export const searchInWords = graphql(`
  query SearchInWords($prompt: String!, $first: Int!) {
    searchAudio(prompt: $prompt, first: $first) {
      edges {
        score
        node {
          filename
        }
      }
      understood {
        by
        filter {
          kinds
          labels
        }
        profile {
          like
        }
        ignoredWords
      }
    }
  }
`);
