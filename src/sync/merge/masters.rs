//! Who is master of which field, counted for the report.

use std::collections::BTreeMap;

use super::Sharing;
use crate::model::{Offer, PlannedContribution, UserId};
use crate::store::{StoreError, Tx};

/// Field → source → people whose value of the field is that source's, over everybody of whom this source and another
/// both say something, as the plan will leave it.
pub(in crate::sync) async fn count(
    tx: &mut Tx,
    sharing: &Sharing,
    planned: &[PlannedContribution],
    owners: &BTreeMap<UserId, String>,
) -> Result<BTreeMap<String, BTreeMap<String, u64>>, StoreError> {
    let mut people: BTreeMap<UserId, (String, BTreeMap<String, Offer>)> = BTreeMap::new();
    for row in tx.contributions().around(&sharing.source).await? {
        let (_, offers) = people.entry(row.user_id).or_insert_with(|| (row.owner, BTreeMap::new()));
        offers.insert(row.source, row.offer.0);
    }
    for one in planned {
        let owner = || owners.get(&one.user_id).cloned().unwrap_or_else(|| sharing.source.clone());
        let (_, offers) = people.entry(one.user_id).or_insert_with(|| (owner(), BTreeMap::new()));
        match &one.after {
            Some(offer) => drop(offers.insert(one.source.clone(), offer.clone())),
            None => drop(offers.remove(&one.source)),
        }
    }
    let mut counts: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for (owner, offers) in people.values().filter(|(_, offers)| offers.len() > 1) {
        let named: BTreeMap<&str, &Offer> = offers.iter().map(|(source, offer)| (source.as_str(), offer)).collect();
        for (field, (source, _)) in sharing.precedence.masters(owner, &named) {
            *counts.entry(field.to_string()).or_default().entry(source.to_owned()).or_default() += 1;
        }
    }
    Ok(counts)
}
