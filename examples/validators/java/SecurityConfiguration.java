// A resource server with Spring Security 6 (spring-boot-starter-oauth2-resource-server). Shown, not run by the tests of the
// repository: Spring's jars are in none of the package sources that those have. With the properties
//   spring.security.oauth2.resourceserver.opaquetoken.introspection-uri=https://id.example.com/oauth2/introspect
//   spring.security.oauth2.resourceserver.opaquetoken.client-id=… and .client-secret=… (the service's own application)
// the broker itself judges each token: expired, foreign, for another audience, revoked: all are inactive.
// A token that is bound to a key (its `cnf`) is active too: where such tokens come, check the proof besides.
package com.example;

import org.springframework.context.annotation.*;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.web.SecurityFilterChain;

@Configuration
class SecurityConfiguration {
    @Bean
    SecurityFilterChain api(HttpSecurity http) throws Exception {
        return http.authorizeHttpRequests(calls -> calls.anyRequest().hasAuthority("SCOPE_expense:read"))
            .oauth2ResourceServer(server -> server.opaqueToken(Customizer.withDefaults()))
            .build();
    }
}
