// index.js - the Node function of the bench, the same under both servers
exports.handler = async (event) => ({
	statusCode: 200,
	headers: { 'content-type': 'application/json' },
	body: JSON.stringify({ path: event.path, hello: 'albatross' }),
})
