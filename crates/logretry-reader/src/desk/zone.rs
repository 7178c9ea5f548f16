use jiff::Zoned;
use jiff::tz::Offset;
use logretry_record::{Shown, TimeRange};
use logretry_stage::bridge::Feed;

use super::Desk;

impl Desk<'_> {
    /// Says what a range of time means where the log's clock and that of this machine may differ.
    pub(crate) fn say_zone(&self, feed: &Feed) {
        let is_zoneless = self.formats.first().is_some_and(|format| format.has_time() && !format.has_zone());
        let asks = self.options.predicate.as_ref().is_some_and(|wanted| wanted.time != TimeRange::default());
        if !is_zoneless || !asks {
            return;
        }
        let here = Zoned::now().offset();
        if here != Offset::UTC {
            let sentence = format_args!(
                "{}: its times say no zone and are taken as UTC, but here it is {here}: give --since and --until as the log's clock shows them, with a `Z` behind (`2026-11-22T03:00:00Z`)",
                Shown(&self.name)
            );
            feed.notes().say_of_log("times without a zone", sentence);
        }
    }
}
