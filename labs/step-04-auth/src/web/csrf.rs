//! Other sites make our visitors' browsers send us requests, cookies and all. What they cannot do is say where the
//! request came from, or read a page of ours (OWASP, "Cross-Site Request Forgery Prevention").

// TODO(step-04.6): refuse a POST whose `Origin` is not ours, and a form whose `csrf_token` does not belong to the
// cookie's session. Where can you put the check so that no handler can forget it?
