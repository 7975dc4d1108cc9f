//! Documents of changes in the two databases: a text in one, `json` in the other, the same bytes in both.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo, PgValueRef};
use sqlx::sqlite::{SqliteArgumentsBuffer, SqliteTypeInfo, SqliteValueRef};
use sqlx::{Decode, Encode, Postgres, Sqlite, Type};

use crate::model::Document;

/// `json` of PostgreSQL, which keeps a text as it is (`jsonb` would write it anew).
const JSON: Oid = Oid(114);

impl Type<Sqlite> for Document {
    fn type_info() -> SqliteTypeInfo {
        <str as Type<Sqlite>>::type_info()
    }
}

impl Encode<'_, Sqlite> for Document {
    fn encode_by_ref(&self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        <&str as Encode<'_, Sqlite>>::encode_by_ref(&self.text(), buffer)
    }
}

impl<'r> Decode<'r, Sqlite> for Document {
    fn decode(value: SqliteValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self::of_text(<&str as Decode<'r, Sqlite>>::decode(value)?))
    }
}

impl Type<Postgres> for Document {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(JSON)
    }

    fn compatible(of: &PgTypeInfo) -> bool {
        of.oid() == Some(JSON)
    }
}

impl Encode<'_, Postgres> for Document {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <&str as Encode<'_, Postgres>>::encode_by_ref(&self.text(), buffer)
    }
}

impl<'r> Decode<'r, Postgres> for Document {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self::of_text(value.as_str()?))
    }
}
