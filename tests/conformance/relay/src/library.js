// What relay-compiler compiles: the program runs the artifacts that it makes of these.
const { graphql } = require("relay-runtime");

graphql`
  query libraryQuery($count: Int!) {
    viewer {
      id
      username
    }
    ...libraryFiles @arguments(count: $count)
    ...libraryOldest @arguments(count: $count)
  }
`;

graphql`
  fragment libraryFiles on Query
  @refetchable(queryName: "libraryFilesPaginationQuery")
  @argumentDefinitions(
    count: { type: "Int", defaultValue: 3 }
    cursor: { type: "String" }
  ) {
    audioFiles(
      first: $count
      after: $cursor
      orderBy: { field: FILENAME, direction: ASC }
    ) @connection(key: "library_audioFiles", filters: ["orderBy"]) {
      totalCount
      edges {
        node {
          id
          filename
          ...libraryFile
        }
      }
    }
  }
`;

graphql`
  fragment libraryOldest on Query
  @refetchable(queryName: "libraryOldestPaginationQuery")
  @argumentDefinitions(
    count: { type: "Int", defaultValue: 3 }
    cursor: { type: "String" }
  ) {
    oldest: audioFiles(
      last: $count
      before: $cursor
      orderBy: { field: FILENAME, direction: ASC }
    ) @connection(key: "libraryOldest_oldest", filters: ["orderBy"]) {
      edges {
        node {
          id
        }
      }
    }
  }
`;

graphql`
  fragment libraryFile on AudioFile
  @refetchable(queryName: "libraryFileRefetchQuery") {
    id
    filename
    tags
    analysis {
      id
      kind
      tempo {
        bpm
      }
    }
  }
`;

graphql`
  query librarySimilarQuery($id: ID!, $count: Int!) {
    node(id: $id) {
      __typename
      ...librarySimilar @arguments(count: $count) @alias(as: "similar")
    }
  }
`;

graphql`
  fragment librarySimilar on AudioFile
  @refetchable(queryName: "librarySimilarPaginationQuery")
  @argumentDefinitions(
    count: { type: "Int", defaultValue: 2 }
    cursor: { type: "String" }
  ) {
    similarTo(first: $count, after: $cursor)
      @connection(key: "librarySimilar_similarTo") {
      edges {
        score
        node {
          id
        }
      }
    }
  }
`;

graphql`
  mutation libraryRenameMutation($input: UpdateAudioFileInput!) {
    updateAudioFile(input: $input) {
      audioFile {
        ...libraryFile
      }
      errors {
        code
      }
    }
  }
`;

graphql`
  mutation libraryDeleteMutation(
    $input: DeleteAudioFileInput!
    $connections: [ID!]!
  ) {
    deleteAudioFile(input: $input) {
      deletedId @deleteEdge(connections: $connections) @deleteRecord
      errors {
        code
      }
    }
  }
`;

graphql`
  mutation libraryBatchMutation($input: CreateBatchJobInput!) {
    createBatchJob(input: $input) {
      batchJob {
        id
        status
      }
      errors {
        code
      }
    }
  }
`;

graphql`
  subscription libraryProgressSubscription($id: ID!) {
    batchProgress(batchId: $id) {
      sequence
      batchJob {
        id
        status
        completed
      }
    }
  }
`;
