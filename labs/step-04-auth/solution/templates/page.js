// Counts the reviews. What it knows, the server wrote into the page as JSON; it never writes HTML.
const data = JSON.parse(document.getElementById("page-data").textContent);
document.getElementById("reviews").textContent = `${data.reviews.length} reviews of ${data.title}`;
