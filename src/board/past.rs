//! Rounds as they were: the boards that were asked for lately, so that each is made and rendered once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Board;
use crate::domain::{RoundId, Sequence};

/// How many are kept.
const MOST: usize = 64;
/// How many places on a roll they may have together, if they are more than one: a ledger takes memory by its roll.
const MOST_PLACES: usize = 200_000;

/// The boards, the one that was asked for last at the end.
#[derive(Debug, Default)]
pub(super) struct Past(Mutex<VecDeque<Arc<Board>>>);

impl Past {
    /// The board of a round at a sequence, if it is kept.
    pub(super) fn find(&self, round: &RoundId, sequence: Sequence) -> Option<Arc<Board>> {
        find(&mut self.boards(), round, sequence)
    }

    /// Keeps a board, unless somebody else made it meanwhile; gives the one that is kept.
    pub(super) fn keep(&self, board: Board) -> Arc<Board> {
        let of = &board.ledger.round;
        let mut boards = self.boards();
        if let Some(kept) = find(&mut boards, &of.id, of.sequence) {
            return kept;
        }
        let board = Arc::new(board);
        boards.push_back(Arc::clone(&board));
        let places = |boards: &VecDeque<Arc<Board>>| -> usize {
            boards.iter().map(|board| board.ledger.roll.len()).sum()
        };
        while boards.len() > MOST || boards.len() > 1 && places(&boards) > MOST_PLACES {
            boards.pop_front();
        }
        board
    }

    fn boards(&self) -> MutexGuard<'_, VecDeque<Arc<Board>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn find(boards: &mut VecDeque<Arc<Board>>, round: &RoundId, sequence: Sequence) -> Option<Arc<Board>> {
    let is_it = |board: &Arc<Board>| {
        let of = &board.ledger.round;
        of.sequence == sequence && of.id == *round
    };
    let place = boards.iter().position(is_it)?;
    let board = boards.remove(place)?;
    boards.push_back(Arc::clone(&board));
    Some(board)
}
