// The sample function in JavaScript: tells what came in.
//
//     curl http://127.0.0.1:8080/node
//     curl http://127.0.0.1:8080/node/event
//     curl http://127.0.0.1:8080/node/raise

export const handler = async (event, context) => {
  if (event.path === "/node/raise") {
    throw new TypeError("the sample throws when it is asked to");
  }
  const body =
    event.path === "/node/event"
      ? JSON.stringify(event, null, 2)
      : `Hello from Node ${process.version}, ` +
        `${context.getRemainingTimeInMillis()} ms left`;
  return {
    statusCode: 200,
    headers: { "content-type": "text/plain; charset=utf-8" },
    body: body + "\n",
  };
};
