using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Diagnostics;

namespace LoggingService.Http;

internal static partial class ExceptionResponses
{
    /// <summary>Maps an exception of a request to a Matrix error. An internal failure is a 5xx, which the homeserver retries.</summary>
    public static Task WriteAsync(HttpContext context)
    {
        var exception = context.Features.Get<IExceptionHandlerFeature>()!.Error;
        var error = exception switch
        {
            MatrixException e => e.Error,
            BadHttpRequestException e => MatrixResults.ForStatus(e.StatusCode),

            // The client disconnected; the response is discarded.
            ConnectionResetException or OperationCanceledException => MatrixResults.ForStatus(StatusCodes.Status400BadRequest),
            _ => null,
        };
        if (error is null)
        {
            var loggers = context.RequestServices.GetRequiredService<ILoggerFactory>();
            Log.RequestFailed(loggers.CreateLogger(typeof(ExceptionResponses).FullName!), exception);
            error = MatrixResults.ForStatus(StatusCodes.Status500InternalServerError);
        }

        return error.ExecuteAsync(context);
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.RequestFailed, LogLevel.Error,
            "A request failed unexpectedly. Please report this as a bug in LoggingService; the homeserver will retry.")]
        public static partial void RequestFailed(ILogger logger, Exception exception);
    }
}
