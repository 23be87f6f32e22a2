//! What a learner asks for beside a grade: the next step, the server's log, the model answer, the starter back.

pub mod compare;
pub mod logs;
pub mod next;
pub mod reset;
pub mod starter;
