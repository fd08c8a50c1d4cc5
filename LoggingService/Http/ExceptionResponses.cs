using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Diagnostics;

namespace LoggingService.Http;

internal static partial class ExceptionResponses
{
    /// <summary>Maps an exception of a request to a Matrix error. An internal failure is a 5xx, which the homeserver retries.</summary>
    public static Task WriteAsync(HttpContext context)
    {
        var exception = context.Features.Get<IExceptionHandlerFeature>()!.Error;
        var error = exception is MatrixException e ? e.Error : MatrixResults.ForStatus(StatusOf(exception));
        if (error.Status == StatusCodes.Status500InternalServerError && exception is not MatrixException)
        {
            var loggers = context.RequestServices.GetRequiredService<ILoggerFactory>();
            Log.RequestFailed(loggers.CreateLogger(typeof(ExceptionResponses).FullName!), exception);
        }

        return error.ExecuteAsync(context);
    }

    /// <summary>The status of the response to an exception; 499 if the client disconnected, which discards the response.</summary>
    public static int StatusOf(Exception exception) => exception switch
    {
        MatrixException e => e.Error.Status,
        BadHttpRequestException e => e.StatusCode,
        ConnectionResetException or OperationCanceledException => StatusCodes.Status499ClientClosedRequest,
        _ => StatusCodes.Status500InternalServerError,
    };

    private static partial class Log
    {
        [LoggerMessage(EventIds.RequestFailed, LogLevel.Error,
            "A request failed unexpectedly. Please report this as a bug in LoggingService; the homeserver will retry.")]
        public static partial void RequestFailed(ILogger logger, Exception exception);
    }
}
