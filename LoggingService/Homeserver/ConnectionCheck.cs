using LoggingService.Registration;

namespace LoggingService.Homeserver;

/// <summary>Checks both directions of the connection. A successful ping also makes a homeserver send its backlog at once.</summary>
internal sealed class ConnectionCheck(
    HomeserverClient homeserver, ServiceUser user, CheckRequests requests, AppServiceRegistration registration, RegistrationTokens tokens,
    LoggingServiceOptions options)
{
    private const string SeeItsLog = "See the log of the homeserver";
    private const string CopyAgain = "Copy the file to the homeserver again and restart it";
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    /// <summary>Runs the checks, always in this order; those after a failed one are Unknown.</summary>
    public async Task<IReadOnlyList<CheckResult>> RunAsync(CancellationToken cancellation)
    {
        List<(string Check, string Target, Func<CancellationToken, Task<Outcome>> RunAsync)> checks =
        [
            ("homeserver", options.HomeserverText, CheckHomeserverAsync),
            ("registration", options.Registration, CheckRegistrationAsync),
            ("reachability", registration.UrlText, CheckReachabilityAsync),
        ];
        if (registration.AliasNamespaces.Count > 0)
        {
            checks.Add(("aliases", string.Join(", ", registration.AliasNamespaces), CheckAliasesAsync));
        }

        var results = new List<CheckResult>();
        foreach (var (check, target, runAsync) in checks)
        {
            var isDue = results.TrueForAll(result => result.State != CheckState.Failed);
            var outcome = isDue ? await runAsync(cancellation) : new(CheckState.Unknown, "not checked, because an earlier check failed");
            results.Add(new(check, target, outcome.State, outcome.Reason, outcome.Advice));
        }

        return results;
    }

    private async Task<Outcome> CheckHomeserverAsync(CancellationToken cancellation)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timeout.CancelAfter(Timeout);
        try
        {
            await homeserver.GetVersionsAsync(timeout.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return await CheckOtherSchemeAsync(cancellation)
                ?? Failed($"no response within {Timeout.TotalSeconds} seconds", "Check that this is its address, or set --homeserver URL");
        }
        catch (HomeserverException e) when (e.Errcode is "M_UNKNOWN_TOKEN" or "M_MISSING_TOKEN")
        {
            // A homeserver that requires the token even here; the next check sends it.
        }
        catch (HomeserverException e)
        {
            if (e.Status is null or 400 && await CheckOtherSchemeAsync(cancellation) is { } wrongScheme)
            {
                return wrongScheme;
            }

            return e.Status switch
            {
                _ when e.RedirectedTo is { } address => Failed($"redirects to {address}", $"Set --homeserver {address}"),
                null => Failed($"cannot connect ({e.Reason})", "Start the homeserver, or set its address with --homeserver URL"),
                >= 500 => Failed($"error response ({e.Response})", "If a proxy responded, check that the homeserver behind it is running"),
                _ => Failed($"not a Matrix homeserver ({e.Response})", "Set the address of the client API with --homeserver URL"),
            };
        }

        return new(CheckState.Ok, "responds");
    }

    /// <summary>A homeserver that speaks http where https is configured, or the other way round; <c>null</c> if it does not.</summary>
    private async Task<Outcome?> CheckOtherSchemeAsync(CancellationToken cancellation)
    {
        var (configured, other) = options.Homeserver.Scheme == Uri.UriSchemeHttps ? ("https", "http") : ("http", "https");
        var address = new UriBuilder(options.Homeserver) { Scheme = other, Port = options.Homeserver.Port }.Uri;
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timeout.CancelAfter(Timeout);
        return await homeserver.IsHomeserverAsync(address, timeout.Token)
            ? Failed($"speaks {other}, not {configured}", $"Set --homeserver {address.ToString().TrimEnd('/')}")
            : null;
    }

    private async Task<Outcome> CheckRegistrationAsync(CancellationToken cancellation)
    {
        try
        {
            await TryRegisterUserAsync(cancellation);
            await user.EnsureIdentifiedAsync(cancellation);
            var rotation = tokens.UsesPreviousAsToken ? $", with its previous tokens: replace its copy of {options.Registration}" : "";
            return new(CheckState.Ok, $"loaded, the homeserver knows this service as {user.Id}{rotation}");
        }
        catch (HomeserverException e) when (e.Status is 401 or 403)
        {
            return Failed(
                $"the homeserver rejects its as_token ({e.Errcode}), so it has not loaded the file or has an older copy",
                "Copy the file to the homeserver, list the copy under app_service_config_files in homeserver.yaml, and restart it");
        }
        catch (HomeserverException e)
        {
            return Failed($"the homeserver does not accept the user {registration.SenderLocalpart} ({e.Message})", SeeItsLog);
        }
    }

    /// <summary>A refusal is no failure: whoami tells whether the user can be used.</summary>
    private async Task TryRegisterUserAsync(CancellationToken cancellation)
    {
        try
        {
            await homeserver.EnsureRegisteredAsync(cancellation);
        }
        catch (HomeserverException e) when (!e.IsTransient && e.Status != 401)
        {
        }
    }

    private async Task<Outcome> CheckReachabilityAsync(CancellationToken cancellation)
    {
        try
        {
            var id = requests.CreateId();
            await homeserver.PingAsync(cancellation, id);
            if (requests.Obstacle is { } obstacle)
            {
                var reason = $"the homeserver reaches a service; not checked that it is this one, because {obstacle}";
                return new(CheckState.Unknown, reason);
            }

            return requests.HasArrived(id)
                ? new(CheckState.Ok, "the homeserver reaches this service")
                : Failed(
                    "the homeserver reaches another service, not this one",
                    $"Compare the url and the hs_token in {options.Registration} with the homeserver's copy");
        }
        catch (HomeserverException e)
        {
            return e switch
            {
                { Status: 404 or 405 } or { Errcode: "M_UNRECOGNIZED" } =>
                    new(CheckState.Unknown, "the homeserver has no ping, or a proxy in front of it blocks the request"),
                { Errcode: "M_BAD_STATUS", BadStatus: 401 or 403 } => Failed(
                    $"the homeserver sends another hs_token than that of {options.Registration} ({e.Reason})", CopyAgain),
                { Errcode: "M_BAD_STATUS" } => Failed(
                    $"another program responds to the homeserver ({e.Reason})",
                    "Correct the url of the registration, or the proxy at that address"),
                { Errcode: "M_CONNECTION_FAILED" or "M_CONNECTION_TIMEOUT" } => Failed(
                    $"the homeserver cannot connect to the url of the registration ({e.Reason})",
                    "Check that the service is running and that the homeserver can reach it; in a container, localhost is the container"),
                { Status: 403 } => Failed(
                    $"the homeserver has the as_token under another id than {registration.Id} ({e.Reason})",
                    $"Copy {options.Registration} to the homeserver again and restart it"),
                _ => Failed($"the homeserver cannot call this service ({e.Message})", SeeItsLog),
            };
        }
    }

    /// <summary>The homeserver asks for an alias that matches its copy of the namespaces and does not exist.</summary>
    private async Task<Outcome> CheckAliasesAsync(CancellationToken cancellation)
    {
        if (requests.Obstacle is { } obstacle)
        {
            return new(CheckState.Unknown, $"not checked, because {obstacle}");
        }

        var server = user.Id![(user.Id!.IndexOf(':', StringComparison.Ordinal) + 1)..];
        foreach (var pattern in registration.AliasNamespaces)
        {
            var id = requests.CreateId();
            var alias = CheckRequests.CreateAlias(pattern.LiteralPrefix ?? "", id, server);
            if (pattern.LiteralPrefix is null || !pattern.IsMatch(alias.ToString()))
            {
                return new(CheckState.Unknown, $"not checked, because {pattern} is not a text that is followed by .*");
            }

            try
            {
                await homeserver.ResolveAliasAsync(alias, cancellation);
            }
            catch (HomeserverException e)
            {
                return new(CheckState.Unknown, $"not checked ({e.Message})");
            }

            if (!requests.HasArrived(id))
            {
                return Failed($"the homeserver does not ask this service for aliases of {pattern}", CopyAgain);
            }
        }

        return new(CheckState.Ok, "the homeserver asks this service for them");
    }

    private static Outcome Failed(string reason, string advice) => new(CheckState.Failed, reason, advice);

    private sealed record Outcome(CheckState State, string Reason, string Advice = "");
}
