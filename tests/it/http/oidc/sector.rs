//! The document of a sector: whoever is not in it does not join.

use axum::Router;
use axum::routing::get;
use yaopai::model::{ApplicationSettings, IdentitySettings, SubjectType};
use yaopai::net::Outgoing;
use yaopai::oidc::{SectorError, check_sector};

use crate::both;
use crate::harness::App;
use crate::harness::https::Https;

both!(
    /// OIDC-072, OAUTH-142
    a_sector_knows_its_applications,
    |kind| async move {
        let router = Router::new()
            .route("/good", get(|| async { r#"["https://a.example/cb","https://b.example/cb","https://c.example/cb"]"# }))
            .route("/short", get(|| async { r#"["https://a.example/cb"]"# }))
            .route("/object", get(|| async { r#"{"redirect_uris":["https://a.example/cb"]}"# }))
            .route("/moved", get(|| async { axum::response::Redirect::to("/good") }));
        let https = Https::start(router).await;
        let app = App::start(kind).await;
        let config = https.config(app.folder.path());
        let mut broker = app.broker.clone();
        let settings = |path: &str| ApplicationSettings {
            redirect_uris: vec!["https://a.example/cb".to_owned(), "https://b.example/cb".to_owned()],
            identity: IdentitySettings {
                subject_type: SubjectType::Pairwise,
                sector_identifier_uri: Some(format!("{}{path}", https.url)),
                ..IdentitySettings::default()
            },
            ..ApplicationSettings::default()
        };
        let closed = check_sector(&broker, &settings("/good")).await;
        assert!(matches!(closed, Err(SectorError::Unreachable(_))), "a private address is not called: {closed:?}");
        broker.net = Outgoing::new(config);
        assert_eq!(check_sector(&broker, &settings("/good")).await, Ok(()));
        let short = check_sector(&broker, &settings("/short")).await.unwrap_err();
        assert!(short.to_string().contains("does not list `https://b.example/cb`"), "{short}");
        for path in ["/object", "/moved", "/nothing"] {
            let refused = check_sector(&broker, &settings(path)).await;
            assert!(matches!(refused, Err(SectorError::Document(_))), "{path}: {refused:?}");
        }
        let mut public = settings("/nothing");
        public.identity.subject_type = SubjectType::Public;
        assert_eq!(check_sector(&broker, &public).await, Ok(()), "it says nothing for a public subject");
    }
);
